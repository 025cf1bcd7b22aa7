// Runs a script in a jail as the user who starts this: `node contained-main.ts <JSON of script, options, base and
// repository>`.
import { runInJail } from './contained-core.ts';

const [script, options, base, repository] = JSON.parse(process.argv[2] ?? '[]');
process.stdout.write(await runInJail(script, options, base, repository));
