import { createNetworks } from '../platform/network-address.ts';
import { DEFAULT_LIMITS_FILE } from './limits-file.ts';
import { oneOf, type Setting } from './setting.ts';

const LIMITS_MODES = ['enforce', 'measure', 'off'] as const;
/** What happens to an operation beyond the limits: it is refused, only counted, or not even looked at. */
export type LimitsMode = (typeof LIMITS_MODES)[number];

export type LimitConfig = {
  readonly limitsMode: LimitsMode;
  readonly limitsFile: string;
  readonly limitsLog: string | null;
  readonly trustedProxies: readonly string[];
};

const TRUSTED_PROXIES_MAX = 1_000;

export const limitSettings: { readonly [Name in keyof LimitConfig]: Setting<LimitConfig[Name]> } = {
  limitsMode: {
    name: 'LIMITS_MODE',
    description:
      'Whether operations beyond the limits are refused, only counted in the metrics, or not looked at. Refused in production: `off`.',
    unit: LIMITS_MODES.map((mode) => `\`${mode}\``).join(', '),
    fallback: 'enforce',
    read(text, mode) {
      const value = oneOf(LIMITS_MODES)(text);
      if (value === 'off' && mode === 'production')
        throw new Error('must not be off in production, as one operation could then take the whole server');
      return value;
    },
  },
  limitsFile: {
    name: 'LIMITS_FILE',
    description:
      'What each tier may do, as `config/limits.schema.json` has it; see docs/limits.md. Default: the `config/limits.json` that Rookery comes with. It is read at start, and again at SIGHUP: one that is wrong refuses to start, or is refused and the old one stays.',
    unit: 'path',
    fallback: null,
    read: (text) => text ?? DEFAULT_LIMITS_FILE,
  },
  limitsLog: {
    name: 'LIMITS_LOG',
    description:
      'A file to which a line of JSON is appended for each operation that limits are asked about: when, by which tier, who as a hash, which limited fields and what cost. For `rookery limits simulate`. It grows without end: switch it on for as long as you measure.',
    unit: 'path',
    fallback: null,
    read: (text) => text,
  },
  trustedProxies: {
    name: 'TRUSTED_PROXIES',
    description:
      'Networks of the proxies in front of the server, comma-separated. Only what these say in X-Forwarded-For is listened to: the address of a client is the last in it that is none of them. Empty: the address of the connection.',
    unit: 'networks such as `10.0.0.0/8`',
    fallback: '',
    read(text) {
      const networks = (text ?? '')
        .split(',')
        .map((network) => network.trim())
        .filter((network) => network !== '');
      if (networks.length > TRUSTED_PROXIES_MAX) throw new Error(`must be at most ${TRUSTED_PROXIES_MAX} networks, got ${networks.length}`);
      createNetworks(networks);
      return networks;
    },
  },
};
