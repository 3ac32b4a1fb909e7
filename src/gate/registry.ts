import { distance } from 'fastest-levenshtein';
import { Failure } from '../failure.ts';
import { type Setup, settingsOf, type Tool, type ToolChoice } from '../toolsets/tool.ts';
import { takingCluster } from './clusters.ts';
import { decide } from './policy.ts';

/** The tools of this process: which are listed, and what to say of a name that is not. */
export interface Registry {
  /** In the order of their names, the same for every client. */
  readonly listed: readonly Tool[];
  /**
   * The listed tool of that name; a Failure that says why it is not there (hidden by mode, by toolset, or unknown).
   * `unlisted`: a tool that only reads may be one that the chosen tools leave out.
   */
  find(name: string, unlisted?: boolean): Promise<Tool>;
}

/** Comparing names takes time with the square of their length. */
const LONGEST_NAME = 128;

const nearest = (name: string, names: readonly string[]): string[] =>
  [...names].sort((a, b) => distance(name, a) - distance(name, b)).slice(0, 3);

type Choice = Pick<Setup, 'mode' | 'toolsets' | 'clusters'>;

const chosenBy = (chosen: readonly ToolChoice[], { toolset, core }: Tool): boolean =>
  toolset === 'server' || chosen.some((one) => one === 'full' || one === toolset || (one === 'core' && core));

/** Why a tool is not there in this mode, or not among the chosen ones, with the settings that would list it. */
export function hidden(tool: Tool, chosen: boolean, setup: Pick<Setup, 'mode' | 'toolsets' | 'cluster'>): Failure {
  const { mode, toolsets } = setup;
  const { name, effect, toolset } = tool;
  const byMode = decide(mode, tool) === 'hide';
  const why = chosen
    ? `${name} is not available in ${mode} mode: its effect is ${effect}.`
    : `${name} is not one of the chosen tools (${toolsets.join(', ')}).`;
  const cure = [
    ...(chosen ? [] : [`MCP_TOOLSETS=${[...toolsets, toolset].join(',')} or MCP_TOOLSETS=full`]),
    ...(byMode ? [settingsOf(setup).mode('guarded')] : []),
  ];
  return new Failure('refused', why, `The operator can set ${cure.join(' and ')} and restart the server.`, {
    sign: byMode ? { is: 'read-only' } : undefined,
  });
}

/** The tools that `setup`'s mode and toolsets leave. `all` gives those that were not worth loading, to speak of them. */
export function createRegistry(tools: readonly Tool[], setup: Choice, all = async () => tools): Registry {
  const { clusters = [] } = setup;
  const names = clusters.map(({ name }) => name);
  const modes = [setup.mode, ...clusters.map(({ mode }) => mode)];
  const made = (tool: Tool): Tool => (names.length > 0 ? takingCluster(tool, names) : tool);
  const sorted = [...tools].sort((a, b) => (a.name < b.name ? -1 : 1)).map(made);
  const inSet = sorted.filter((tool) => chosenBy(setup.toolsets, tool));
  const listed = inSet.filter((tool) => modes.some((mode) => decide(mode, tool) !== 'hide'));
  const find = async (name: string, unlisted = false): Promise<Tool> => {
    const tool = listed.find((one) => one.name === name);
    if (tool) return tool;
    const other = (await all()).find((one) => one.name === name);
    if (other?.effect === 'read' && unlisted) return made(other);
    if (other) throw hidden(other, chosenBy(setup.toolsets, other), setup);
    const wanted = name.slice(0, LONGEST_NAME);
    const near = nearest(
      wanted,
      listed.map((one) => one.name),
    );
    throw new Failure('not-found', `There is no tool ${wanted}.`, `Nearest: ${near.join(', ')}.`);
  };
  return { listed, find };
}
