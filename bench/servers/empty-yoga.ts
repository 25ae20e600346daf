/** empty-yoga: a mutation with nothing behind it: the limit of the library we build on. */
import { serveMutation } from './mutation-server.ts';

serveMutation(() => {});
