// Given to a server with `--expose-gc --import`: it collects its garbage every second, so that what it still holds is what it retains.

const INTERVAL_MS = 1_000;

if (globalThis.gc === undefined) throw new Error('Node must be started with --expose-gc.');
const collect = globalThis.gc;
setInterval(() => void collect(), INTERVAL_MS).unref();
