// Given to a server with `--expose-gc --import`: on SIGUSR2 it collects all garbage and gives the memory back that it does not need, so that
// what it still has is what it retains.

import process from 'node:process';

const { gc } = globalThis;
if (gc === undefined) throw new Error('Node must be started with --expose-gc.');
process.on('SIGUSR2', () => gc({ type: 'major', execution: 'sync', flavor: 'last-resort' }));
