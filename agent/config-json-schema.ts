/** config-json-schema: the config's declaration as JSON Schema, so that editors complete and check it. */
import { z } from 'zod';
import { configSchema } from './config-schema.ts';

/** What `agent.config.schema.json` holds. Draft 7, which is what editors understand in full. */
export function configJsonSchema(): object {
  return z.toJSONSchema(configSchema, { io: 'input', target: 'draft-7' });
}
