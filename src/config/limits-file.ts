import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type OutputUnit, type Schema, Validator } from '@cfworker/json-schema';
import { contradictions, type LimitPolicies, type LimitsFile, policiesOf } from '../platform/rate-limit-policies.ts';

/** What holds unless LIMITS_FILE names another file. */
export const DEFAULT_LIMITS_FILE = fileURLToPath(new URL('../../config/limits.json', import.meta.url));
const SCHEMA_FILE = new URL('../../config/limits.schema.json', import.meta.url);

/** Everything that is wrong with a file of limits, at once; each problem begins with its path in the file. */
export class LimitsFileError extends Error {
  readonly problems: readonly string[];

  constructor(path: string, problems: readonly string[]) {
    super(`${path} must be mended before its limits hold:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'LimitsFileError';
    this.problems = problems;
  }
}

/** Throws LimitsFileError for a file that is not there, is no JSON, or is not as config/limits.schema.json says. */
export function readLimitsFile(path: string): LimitPolicies {
  const file = parse(path);
  const problems = [...schemaProblems(file)];
  if (problems.length > 0) throw new LimitsFileError(path, problems);
  const limits = file as LimitsFile; // As the schema has it.
  const contradicting = contradictions(limits);
  if (contradicting.length > 0) throw new LimitsFileError(path, contradicting);
  return policiesOf(limits);
}

function parse(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new LimitsFileError(path, [`/ must be a file of JSON that can be read: ${error instanceof Error ? error.message : error}`]);
  }
}

function schemaProblems(file: unknown): readonly string[] {
  const schema: Schema = JSON.parse(readFileSync(SCHEMA_FILE, 'utf8'));
  const { errors } = new Validator(schema, '2020-12', false).validate(file);
  return [...new Set(errors.filter(isOrigin).map((error) => problemOf(error, file)))];
}

/** Not that something inside is wrong, which is told as well. */
function isOrigin({ keyword }: OutputUnit): boolean {
  return !['properties', 'additionalProperties', '$ref', 'propertyNames', 'items'].includes(keyword);
}

function problemOf({ keyword, instanceLocation, error }: OutputUnit, file: unknown): string {
  const path = instanceLocation.replace(/^#/, '') || '/';
  if (keyword === 'false') return `${path} is not known: it must not be there.`;
  const value = path
    .split('/')
    .slice(1)
    .filter((name) => name !== '')
    .reduce<unknown>((inner, name) => (inner as Readonly<Record<string, unknown>> | null)?.[name], file); // It is there, as something is wrong with it.
  const came = typeof value === 'object' && value !== null ? '' : ` Got ${JSON.stringify(value)}.`;
  return `${path} ${error}${came}`;
}
