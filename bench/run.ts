/** run: `npm run bench`, every benchmark, each beside its peer or limit. */
import { benchCollect } from './collect.ts';
import { benchSubmit } from './submit.ts';

await benchCollect();
await benchSubmit();
