import { type Action, can, ROLE_MIN } from '../../../src/conversations/permission.ts';
import { OBJECT_ACCESS } from '../../../src/graphql/access.ts';
import { type Observation, type Outcome, standingOf } from './observe.ts';
import { ruleOf } from './operation.ts';

export type Tables = { readonly rules: object; readonly objects: Readonly<Record<string, string>> };

/** What is wrong with an observation by the tables; null when nothing is. */
export function violationOf(observation: Observation, { rules, objects }: Tables): string | null {
  const { coordinate, call, outcome, path, given, standing, reach } = observation;
  const problem = problemOf();
  if (problem === null) return null;
  const target = call.target === null ? '' : ` of a ${call.target}`;
  return `${coordinate}, asked by ${call.role} in a ${call.kind} by ${call.field}${target} at ${path}: ${problem}`;

  function problemOf(): string | null {
    if (given !== null && given in OBJECT_ACCESS && !mayBeGiven(objects[given] ?? '')) return `a ${given} must not be given`;
    const rule = ruleOf(coordinate, rules);
    const isRoot = /^(Query|Mutation|Subscription)\./.test(coordinate);
    const expected = isRoot ? ofRoot(rule) : ofField(rule);
    if (!expected.includes(outcome)) return `must be ${expected.join(' or ')}, got ${outcome}`;
    if (rule === 'COMPANION' && standing !== 'member' && observation.value !== 'OFFLINE')
      return `must be OFFLINE, got ${observation.value}`;
    // What the check in front must have refused was not even begun.
    if (reach !== null && isRoot && isRefusedInFront(rule)) return 'its resolver must not be reached';
    if (reach !== null && coordinate.startsWith('Conversation.') && rule !== 'PARENT') {
      if (reach === 'raw') return 'its resolver must be given the conversation as the viewer sees it';
      if (expected.join() === 'NOT_FOUND') return 'its resolver must not be reached';
    }
    return null;
  }

  function mayBeGiven(rule: string): boolean {
    switch (rule) {
      case 'SIGNED_IN':
        return standing !== 'anonymous' && standing !== 'service';
      case 'SIGNED_IN_OR_SERVICE':
        return standing !== 'anonymous';
      case 'SELF':
        return observation.isSelf;
      case 'VISIBLE':
        return standing === 'member' || standing === 'leaver' || (standing === 'outsider' && call.kind === 'CHANNEL');
      case 'MEMBER':
        return standing === 'member';
      default:
        throw new Error(`There must be a meaning of the rule ${rule} for objects.`);
    }
  }

  function ofRoot(rule: string): readonly Outcome[] {
    const { role, kind } = call;
    const standing = standingOf(role);
    const [, field = ''] = coordinate.split('.');
    const isNobody = standing === 'anonymous' || standing === 'service';
    if (rule === 'ANYONE') return observation.isNonNull || !isNobody ? ['value'] : ['null', 'value'];
    if (isRefusedInFront(rule)) return [standing === 'anonymous' ? 'UNAUTHENTICATED' : 'FORBIDDEN'];
    const isMember = standing === 'member';
    switch (rule) {
      case 'SIGNED_IN':
      case 'SIGNED_IN_OR_SERVICE':
      case 'OPERATOR':
      case 'OPERATOR_OR_DEVELOPMENT':
        return ['value'];
      case 'SELF':
        return role === 'owner' ? ['value'] : ['NOT_FOUND'];
      case 'FINDER':
        return mayBeFound(objects[call.target ?? 'Conversation'] ?? '') ? ['value'] : ['null'];
      case 'CHANNEL':
        return kind === 'CHANNEL' ? ['value'] : ['NOT_FOUND'];
      case 'MEMBER':
        return isMember ? ['value'] : ['NOT_FOUND'];
      case 'FOLLOWER':
        return isMember || role === 'removed' ? ['value'] : ['NOT_FOUND'];
      case 'MEMBER_OF_MANY':
        return !isMember ? ['NOT_FOUND'] : kind === 'DIRECT' ? ['FORBIDDEN'] : ['value'];
      case 'ROLE':
        return !isMember ? ['NOT_FOUND'] : roleAllows(actionOf(field)) ? ['value'] : ['FORBIDDEN'];
      case 'AUTHOR':
        return !isMember ? ['NOT_FOUND'] : role === 'member' ? ['value'] : ['FORBIDDEN'];
      case 'AUTHOR_OR_ROLE':
        return !isMember ? ['NOT_FOUND'] : role === 'member' || roleAllows('deleteMessageOfOthers') ? ['value'] : ['FORBIDDEN'];
      default:
        throw new Error(`There must be a meaning of the rule ${rule} for root fields.`);
    }
  }

  /** By what the request says of who asks, before anything is looked at. */
  function isRefusedInFront(rule: string): boolean {
    const { role } = call;
    switch (rule) {
      case 'ANYONE':
        return false;
      case 'SIGNED_IN_OR_SERVICE':
        return role === 'anonymous';
      case 'OPERATOR':
      // The schema of the engine is not made for development.
      case 'OPERATOR_OR_DEVELOPMENT':
        return role !== 'service' && role !== 'administrator';
      default:
        return role === 'anonymous' || role === 'service';
    }
  }

  /** By its id: the Viewer and the Session asked for are the owner's. */
  function mayBeFound(rule: string): boolean {
    const { role, kind } = call;
    if (rule === 'SIGNED_IN' || rule === 'SIGNED_IN_OR_SERVICE') return true;
    if (rule === 'SELF') return role === 'owner';
    return standingOf(role) === 'member' || (rule === 'VISIBLE' && kind === 'CHANNEL');
  }

  /** In a DIRECT conversation nobody may, save pinning: permission.ts. */
  function roleAllows(action: Action): boolean {
    if (call.kind === 'DIRECT') return action === 'pinMessage';
    const role = call.role === 'owner' ? 'OWNER' : call.role === 'admin' ? 'ADMIN' : 'MEMBER';
    return can({ role }, action);
  }

  function ofField(rule: string): readonly Outcome[] {
    if (standing === 'leaver' && coordinate.startsWith('Conversation.')) return ['value', 'null', 'empty', 'NOT_FOUND'];
    const answers = observation.isNonNull ? ['value', 'empty'] : ['value', 'empty', 'null'];
    switch (rule) {
      case 'PARENT':
        return answers;
      case 'COMPANION':
        return ['value'];
      case 'VISIBLE':
        return standing === 'member' || observation.isNonNull ? ['value'] : ['null'];
      case 'MEMBER':
        return standing === 'member' ? answers : ['NOT_FOUND'];
      case 'MEMBER_OR_TOTAL':
        return standing === 'member' || observation.isTotalOnly ? ['value'] : ['NOT_FOUND'];
      default:
        throw new Error(`There must be a meaning of the rule ${rule} for fields.`);
    }
  }
}

/** The action of permission.ts by which a mutation with a rule by role is judged. */
export function actionOf(field: string): Action {
  const name = field === 'unpinMessage' ? 'pinMessage' : field;
  const action = Object.keys(ROLE_MIN).find((each): each is Action => each === name);
  if (action === undefined) throw new Error(`There must be an action of permission.ts for ${field}.`);
  return action;
}
