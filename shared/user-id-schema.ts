// The id of a user at a boundary. Pure.
import { z } from 'zod';
import { parseSid, type Sid } from './user-id.js';

const sidSchema = z.string().transform((text, context): Sid => {
  const sid = parseSid(text);
  if (sid !== undefined) return sid;
  context.addIssue({ code: 'custom', message: 'must be a SID' });
  return z.NEVER;
});

export const userIdSchema = z.union([z.number().int().min(0), sidSchema], {
  error: 'must be a uid or a SID',
});
