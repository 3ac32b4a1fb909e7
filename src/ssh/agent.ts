import type { AgentAuthMethod, ParsedKey } from 'ssh2';

export interface AgentKey {
  readonly key: ParsedKey;
  /** The attempt that offers this key and no other one of the agent. */
  offer(username: string): AgentAuthMethod;
}

/** Of an agent's keys, those that can be used: certificates and security keys (sk-) cannot. */
const USABLE = /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521))$/;

/** The usable keys of the agent behind this socket, in its own order. Rejects when it does not answer properly. */
export async function agentKeys(socketPath: string): Promise<AgentKey[]> {
  const { BaseAgent, createAgent } = (await import('ssh2')).default;
  const agent = createAgent(socketPath);
  const keys = await new Promise<ParsedKey[]>((resolve, reject) => {
    agent.getIdentities((error, listed = []) => (error ? reject(error) : resolve(listed as ParsedKey[])));
  });
  class OneKey extends BaseAgent<ParsedKey> {
    constructor(readonly key: ParsedKey) {
      super();
    }
    override getIdentities(done: (error?: Error | null, keys?: ParsedKey[]) => void): void {
      done(null, [this.key]);
    }
    override sign = agent.sign.bind(agent);
  }
  const offer = (key: ParsedKey) => (username: string) => ({
    type: 'agent' as const,
    username,
    agent: new OneKey(key),
  });
  return keys.filter(({ type }) => USABLE.test(type)).map((key) => ({ key, offer: offer(key) }));
}
