// The tables of a database as PostGraphile serves them, in a process of its own. CONNECTION_STRING: the database; CONNECTIONS: how many at most.

import { createServer } from 'node:http';
import process from 'node:process';
import { postgraphile } from 'postgraphile';
import { makePgService } from 'postgraphile/adaptors/pg';
import { grafserv } from 'postgraphile/grafserv/node';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';

const service = makePgService({
  connectionString: process.env['CONNECTION_STRING'],
  schemas: ['public'],
  poolConfig: { max: Number(process.env['CONNECTIONS']) },
});
const preset = {
  extends: [PostGraphileAmberPreset],
  pgServices: [service],
  grafserv: { graphqlPath: '/graphql', graphiql: false, watch: false },
  // Our functions are no part of what is compared.
  disablePlugins: ['PgProceduresPlugin'],
};
const server = createServer();
await postgraphile(preset).createServ(grafserv).addTo(server);
server.listen(0, '127.0.0.1', () => process.stdout.write(`http://127.0.0.1:${server.address().port}/graphql\n`));
