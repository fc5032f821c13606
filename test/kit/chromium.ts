import { existsSync } from 'node:fs';
import process from 'node:process';
import { type Browser, chromium } from 'playwright-core';

const PATH = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const FLAGS =
  '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';

/** True, and said, when there is no browser to test with. Where changes are judged one must be there: without it the tests fail. */
export function isBrowserMissing(subject: string): boolean {
  if (existsSync(PATH) || process.env['CI'] === 'true') return false;
  process.stdout.write(`${subject} is not looked at: there is no ${PATH}. Install chromium, or say where it is by CHROMIUM.\n`);
  return true;
}

export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: PATH, args: FLAGS.split(' ') });
}
