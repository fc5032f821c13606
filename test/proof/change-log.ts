import type { DedicatedConnection } from '../../src/platform/dedicated-connection.ts';
import { contentOf } from './content.ts';
import type { LogEntry } from './observation.ts';

/**
 * A record of every numbered change that owes nothing to the server: triggers write it down in the transaction of the change itself, when
 * that commits. To be installed in a database with the whole schema, before what is to be recorded.
 */
export async function installChangeLog({ sql }: DedicatedConnection): Promise<void> {
  await sql.unsafe(INSTALL);
}

export type LoggedChange = LogEntry & { readonly conversationKey: number };

/** In the order of their numbers, conversation by conversation. People are told by their keys, as text. */
export async function readChangeLog({ sql }: DedicatedConnection): Promise<readonly LoggedChange[]> {
  const rows = await sql<Row[]>`
    SELECT conversation_id::text, sequence::integer, change, message::integer, user_id::text AS user_id, content
      FROM observed_changes ORDER BY conversation_id, sequence`;
  return rows.map(({ conversation_id, sequence, change, message, user_id, content }) => ({
    conversationKey: Number(conversation_id),
    sequence,
    change,
    ...(message === null ? {} : { message }),
    ...(user_id === null ? {} : { user: user_id }),
    ...(['send', 'edit', 'delete'].includes(change) ? { content: contentOf(content) } : {}),
  }));
}

type Row = {
  readonly conversation_id: string;
  readonly sequence: number;
  readonly change: LogEntry['change'];
  readonly message: number | null;
  readonly user_id: string | null;
  readonly content: string | null;
};

/** Deferred to the commit, when the rows are as the change leaves them, whichever of them was written first. */
const INSTALL = `
CREATE TABLE observed_changes (conversation_id bigint, sequence bigint, change text, message bigint, user_id bigint, content text);
CREATE INDEX observed_changes_content_idx ON observed_changes (md5(content));

CREATE FUNCTION observe_message() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO observed_changes VALUES (NEW.conversation_id, NEW.sequence, 'send', NEW.sequence, NULL, NEW.body);
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER observe_message AFTER INSERT ON messages DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION observe_message();

CREATE FUNCTION observe_message_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  kind text := CASE NEW.changed_sequence
    WHEN NEW.deleted_sequence THEN 'delete'
    WHEN NEW.edited_sequence THEN 'edit'
    WHEN NEW.pin_sequence THEN CASE WHEN NEW.is_pinned THEN 'pin' ELSE 'unpin' END
    ELSE 'react' END;
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.changed_sequence = NEW.changed_sequence THEN RETURN NULL; END IF;
  IF kind = 'react' AND NOT EXISTS (SELECT FROM reactions r WHERE r.conversation_id = NEW.conversation_id
       AND r.message_sequence = NEW.message_sequence AND r.sequence = NEW.changed_sequence) THEN kind := 'unreact'; END IF;
  INSERT INTO observed_changes
    SELECT NEW.conversation_id, NEW.changed_sequence, kind, NEW.message_sequence, NULL, CASE WHEN kind = 'edit' THEN m.body END
      FROM messages m WHERE m.conversation_id = NEW.conversation_id AND m.sequence = NEW.message_sequence;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER observe_message_change AFTER INSERT OR UPDATE ON message_changes DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION observe_message_change();

CREATE FUNCTION observe_member() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'UPDATE' AND OLD.changed_sequence = NEW.changed_sequence THEN RETURN NULL; END IF;
  INSERT INTO observed_changes VALUES (NEW.conversation_id, NEW.changed_sequence,
    CASE NEW.changed_kind WHEN 1 THEN 'join' WHEN 2 THEN 'leave' WHEN 3 THEN 'remove' ELSE 'role' END, NULL, NEW.user_id, NULL);
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER observe_member AFTER INSERT OR UPDATE ON members DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION observe_member();

CREATE FUNCTION observe_attributes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF OLD.attributes_sequence <> NEW.attributes_sequence THEN
    INSERT INTO observed_changes VALUES (NEW.id, NEW.attributes_sequence, 'rename', NULL, NULL, NULL);
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER observe_attributes AFTER UPDATE ON conversations DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION observe_attributes();`;
