export const INPUTS: string;
export function manifest(root: string, folder: string): Record<string, unknown>;
export function licenceOf(root: string, folder: string): string | undefined;
export function packagesOf(inputs: readonly string[]): string[];
export function bundled(root: string, inputs: readonly string[]): string[];
