// Where the command itself is, for a command that runs another one.
import { fileURLToPath } from 'node:url'

/**
 * The script that `node` runs. Flat like dist/, so that the way to it is the same from src/ and from there.
 */
export const BIN = fileURLToPath(new URL('../bin/kjitsi.js', import.meta.url))
