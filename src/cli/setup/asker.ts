import * as clack from '@clack/prompts';
import { Failure } from '../../failure.ts';
import { visible } from '../../present/visible.ts';
import { Secret } from '../../secret.ts';

/** Answers that were given on the command line, by the name of their flag. */
export type Answers = Readonly<Record<string, string | true | undefined>>;

interface Asked {
  /** The flag that answers it on a command line. */
  readonly flag: string;
  readonly question: string;
}

export interface TextQuestion extends Asked {
  readonly initial?: string;
  /** What is wrong with an answer; undefined when nothing is. */
  readonly check?: (answer: string) => string | undefined;
}

export interface Choice<T extends string> extends Asked {
  readonly options: readonly { readonly value: T; readonly label: string; readonly hint?: string }[];
  readonly initial: T;
}

/** Gets answers: from the command line, else from whoever sits at the terminal, else the default. */
export interface Asker {
  /** Somebody can be asked. */
  readonly interactive: boolean;
  text(question: TextQuestion): Promise<string>;
  choose<T extends string>(question: Choice<T>): Promise<T>;
  /** Whether to do something; `--yes` says yes. */
  agree(question: string, initial?: boolean): Promise<boolean>;
  /** Whether a fingerprint is the right one, which only a human or the flag that names it can say. */
  vouch(question: string): Promise<boolean>;
  /** What is typed is not shown. */
  secret(question: string): Promise<Secret>;
}

const stopped = (): Failure => new Failure('cancelled', 'Stopped.', 'Run the same again to go on where it was left.');

async function answered<T>(prompt: Promise<T>): Promise<Exclude<T, symbol>> {
  const answer = await prompt;
  if (clack.isCancel(answer)) throw stopped();
  return answer as Exclude<T, symbol>;
}

const unanswered = (question: string, flag: string): Failure =>
  new Failure('invalid-input', `There is no terminal to ask on: ${question}`, `Say it with --${flag}.`);

export function createAsker(answers: Answers, interactive: boolean): Asker {
  const yes = answers.yes === true;
  const given = (flag: string): string | undefined => {
    const answer = answers[flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())];
    return typeof answer === 'string' ? answer : undefined;
  };
  const checked = ({ flag, check }: TextQuestion, answer: string): string => {
    const wrong = check?.(answer);
    if (wrong) throw new Failure('invalid-input', `--${flag} ${answer}: ${wrong}`, 'Correct it.');
    return answer;
  };
  return {
    interactive,
    async text(asked) {
      const { flag, question, initial, check } = asked;
      const answer = given(flag) ?? (yes || !interactive ? initial : undefined);
      if (answer !== undefined) return checked(asked, answer);
      if (!interactive) throw unanswered(question, flag);
      const validate = (text: string | undefined) => check?.(text || initial || '');
      const typed = await answered(
        clack.text({ message: question, placeholder: initial, defaultValue: initial, validate }),
      );
      return typed.trim();
    },
    async choose({ flag, question, options, initial }) {
      const answer = given(flag);
      const option = options.find(({ value }) => value === answer);
      if (answer !== undefined && !option) {
        const known = options.map(({ value }) => value).join(', ');
        throw new Failure('invalid-input', `--${flag} ${answer} is none of its values.`, `They are: ${known}.`);
      }
      if (option) return option.value;
      if (yes || !interactive || options.length === 1) return initial;
      type Options = Parameters<typeof clack.select<typeof initial>>[0]['options'];
      const shown = options.map(({ value, label, hint }) => ({ value, label, hint })) as Options;
      return (await answered(
        clack.select({ message: question, options: shown, initialValue: initial }),
      )) as typeof initial;
    },
    async agree(question, initial = true) {
      if (yes) return true;
      if (!interactive) {
        throw new Failure(
          'refused',
          `There is no terminal to ask on: ${question}`,
          'Say --yes to have it done unasked.',
        );
      }
      return answered(clack.confirm({ message: visible(question), initialValue: initial }));
    },
    async vouch(question) {
      return interactive && answered(clack.confirm({ message: visible(question), initialValue: false }));
    },
    async secret(question) {
      if (!interactive) throw unanswered(question, 'token-file');
      return new Secret(await answered(clack.password({ message: question })));
    },
  };
}
