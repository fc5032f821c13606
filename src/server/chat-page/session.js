/** Who this tab is. The tokens live in sessionStorage, so two tabs can be two people. */

const KEY = 'rookery.session';
const ENDPOINT = new URL('graphql', location.href);
const ANSWER_TIMEOUT_MS = 10_000;
/** Part of an access token's life after which it is replaced. */
const REFRESH_AT = 0.75;
const REFRESH_MS_MIN = 5_000;
/** What the server says when the same request may well succeed later. */
const TRANSIENT = ['OVERLOADED', 'TIMEOUT', 'INTERNAL_SERVER_ERROR'];

/** An answer that says no, by one of the codes of the API. */
export class Refusal extends Error {
  constructor({ message, extensions }) {
    super(message);
    this.code = extensions?.code;
  }
}

/** True when it is unknown whether the request was served, or when it should simply be tried again. */
export function isTransient(error) {
  return !(error instanceof Refusal) || TRANSIENT.includes(error.code);
}

/** `onEnd` hears that there is no session any more. */
export function createSession({ onEnd }) {
  let current = JSON.parse(sessionStorage.getItem(KEY) ?? 'null');
  let refreshing = null;
  let timer;
  if (current !== null) refreshInTime();

  function keep(session) {
    current = session;
    clearTimeout(timer);
    if (session === null) {
      sessionStorage.removeItem(KEY);
      onEnd();
      return;
    }
    sessionStorage.setItem(KEY, JSON.stringify(session));
    refreshInTime();
  }

  /** Where it fails, or the clock is wrong, the first refusal of the old token brings the new one. */
  function refreshInTime() {
    const waitMs = (new Date(current.expiresAt) - Date.now()) * REFRESH_AT;
    timer = setTimeout(() => refresh().catch(() => {}), Math.max(REFRESH_MS_MIN, waitMs));
  }

  /** `field` is signUp, signIn or refreshSession. */
  async function begin(field, input) {
    const inputType = `${field[0].toUpperCase()}${field.slice(1)}Input`;
    const selection = 'accessToken refreshToken expiresAt user { id handle displayName }';
    keep((await post(`mutation ($input: ${inputType}!) { session: ${field}(input: $input) { ${selection} } }`, { input })).session);
  }

  /** A refresh token works once, so all who need a new access token wait for the same request. */
  function refresh() {
    refreshing ??= begin('refreshSession', { refreshToken: current?.refreshToken ?? '' })
      .catch((error) => {
        if (!isTransient(error)) keep(null);
        throw error;
      })
      .finally(() => {
        refreshing = null;
      });
    return refreshing;
  }

  return {
    begin,
    refresh,
    get user() {
      return current?.user ?? null;
    },
    /** The access token; a fresh one in the place of one that was refused; null when there is no session any more. */
    async otherTokenThan(refused) {
      if (current !== null && current.accessToken === refused) await refresh();
      return current?.accessToken ?? null;
    },
    /** The data of a query or mutation. An access token that has expired is replaced on the way. */
    async ask(query, variables = {}) {
      try {
        return await post(query, variables, current?.accessToken);
      } catch (error) {
        if (error.code !== 'UNAUTHENTICATED' || current === null) throw error;
        await refresh();
        return post(query, variables, current.accessToken);
      }
    },
    async end() {
      await post('mutation { signOut(input: {}) { user { id } } }', {}, current?.accessToken).catch(() => {}); // Gone is gone.
      keep(null);
    },
  };
}

async function post(query, variables, accessToken) {
  const headers = { 'Content-Type': 'application/json' };
  if (accessToken) headers.Authorization = `Bearer ${accessToken}`;
  const body = JSON.stringify({ query, variables });
  const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  const response = await fetch(ENDPOINT, { method: 'POST', headers, body, signal }).catch((cause) => {
    throw new Error('The server does not answer.', { cause });
  });
  const { data, errors } = await response.json();
  if (errors) throw new Refusal(errors[0]);
  return data;
}
