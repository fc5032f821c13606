import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';

/** A PostgreSQL that serves a data directory now. */
export type Postmaster = {
  readonly pid: number;
  readonly host: string;
  readonly port: number;
  /** The process whose death ends it; null when it was started by other means. */
  readonly ownerPid: number | null;
};

const OWNER = 'rookery.owner';

/** A setting that means nothing to PostgreSQL and is kept by it in postmaster.opts, where `readPostmaster` finds it. */
export function ownerSetting(pid: number): Readonly<Record<string, string>> {
  return { [OWNER]: String(pid) };
}

/** Who serves the directory, or null. The file alone proves nothing, as a killed server leaves it saying "ready": its socket is tried. */
export async function readPostmaster(data: string): Promise<Postmaster | null> {
  let lines: readonly string[];
  let command: string;
  try {
    lines = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n');
    command = readFileSync(join(data, 'postmaster.opts'), 'utf8');
  } catch {
    return null;
  }
  const [pid, , , port, host = '', , , status] = lines;
  if (status?.trim() !== 'ready' || !(await isListening(join(host, `.s.PGSQL.${port}`)))) return null;
  const owner = new RegExp(`"${OWNER}=(\\d+)"`).exec(command)?.[1];
  return { pid: Number(pid), port: Number(port), host, ownerPid: owner === undefined ? null : Number(owner) };
}

/** True when the process lives, is another user's, or is not known. A number that was given away again counts as alive. */
export function isAlive(pid: number | null): boolean {
  if (pid === null) return true;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

function isListening(path: string): Promise<boolean> {
  return new Promise((done) => {
    const probe = connect(path, () => {
      probe.destroy();
      done(true);
    }).on('error', () => done(false));
  });
}
