import type postgres from 'postgres';
import { type Parameter, PLANNING, type Sql } from '../../src/platform/postgres.ts';

/** What a statement read of some tables, as EXPLAIN (ANALYZE) tells it. */
export type Reading = {
  /** Of what a page's statement finds, its authors apart. */
  readonly returned: number;
  /** Rows that scans of these tables gave or passed over. */
  readonly read: number;
  /** Each scan that ran, such as `Index Scan Backward using messages_list_idx`. */
  readonly scans: readonly string[];
};

type PlanNode = {
  readonly 'Node Type': string;
  readonly 'Subplan Name'?: string;
  readonly 'Scan Direction'?: string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly Plans?: readonly PlanNode[];
};

type Statement = { readonly text: string; readonly values: readonly Parameter[] };

/** Explains statements as the server runs them: each prepared once on this connection, with one plan for whatever values. */
export class Explainer {
  readonly #sql: postgres.Sql;
  readonly #tables: readonly string[];
  readonly #names = new Map<string, string>();

  private constructor(sql: postgres.Sql, tables: readonly string[]) {
    this.#sql = sql;
    this.#tables = tables;
  }

  /** `sql`: of a dedicated connection. `tables`: those whose rows count; the partitions of one count as it. */
  static async create(sql: postgres.Sql, tables: readonly string[]): Promise<Explainer> {
    for (const [name, value] of Object.entries(PLANNING)) await sql.unsafe(`SET ${name} = ${value}`);
    return new Explainer(sql, tables);
  }

  /** Plans anew, when next asked. */
  async forget(): Promise<void> {
    await this.#sql.unsafe('DEALLOCATE ALL');
    this.#names.clear();
  }

  /** `run` must run one statement of a store on what it is given. */
  async explain(run: (sql: Sql) => Promise<unknown>): Promise<Reading> {
    const { text, values } = await statementOf(run);
    const name = await this.#prepare(text);
    // Read back by the driver as what PostgreSQL's JSON says.
    const [row] = await this.#sql.unsafe<{ 'QUERY PLAN': readonly { readonly Plan: PlanNode }[] }[]>(
      `EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF, FORMAT JSON) EXECUTE ${name}(${values.map(literal).join()})`,
    );
    const plan = row?.['QUERY PLAN'][0]?.Plan;
    if (plan === undefined) throw new Error('EXPLAIN must answer a plan.');
    const scans = [...this.#scansOf(plan)];
    return {
      returned: (plan.Plans?.find((node) => node['Subplan Name'] === 'CTE page') ?? plan)['Actual Rows'],
      read: scans.reduce((sum, node) => sum + rowsOf(node) * node['Actual Loops'], 0),
      scans: [...new Set(scans.map(nameOf))],
    };
  }

  async #prepare(text: string): Promise<string> {
    const known = this.#names.get(text);
    if (known !== undefined) return known;
    const name = `statement_${this.#names.size}`;
    await this.#sql.unsafe(`PREPARE ${name} AS ${text}`);
    this.#names.set(text, name);
    return name;
  }

  *#scansOf(node: PlanNode): Generator<PlanNode> {
    const table = (node['Relation Name'] ?? '').replace(/_p\d+$/, '');
    if (this.#tables.includes(table) && node['Actual Loops'] > 0) yield node;
    for (const child of node.Plans ?? []) yield* this.#scansOf(child);
  }
}

/** Catches what a store would have run. */
export async function statementOf(run: (sql: Sql) => Promise<unknown>): Promise<Statement> {
  const caught: Statement[] = [];
  const tag = async (text: TemplateStringsArray, ...values: readonly Parameter[]) => {
    caught.push({ text: text.reduce((whole, part, index) => `${whole}$${index}${part}`), values });
    return [];
  };
  await run(Object.assign(tag, { once: tag }));
  const [statement, another] = caught;
  if (statement === undefined || another !== undefined) throw new Error(`One statement must be run, got ${caught.length}.`);
  return statement;
}

function literal(value: Parameter): string {
  const text = Array.isArray(value) ? `{${value.map((element) => JSON.stringify(element)).join()}}` : String(value);
  return value === null ? 'NULL' : `'${text.replaceAll("'", "''")}'`;
}

function rowsOf(node: PlanNode): number {
  return node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
}

/** As the text format names it. */
function nameOf(node: PlanNode): string {
  const direction = node['Scan Direction'] === 'Backward' ? ' Backward' : '';
  const index = node['Index Name'] === undefined ? '' : ` using ${node['Index Name']}`;
  return `${node['Node Type']}${direction}${index} on ${node['Relation Name']}`;
}
