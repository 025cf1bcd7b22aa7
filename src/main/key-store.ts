import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { safeStorage } from 'electron';
import type { KeyStore } from '../engine/api/service.ts';

/** Without a keyring, Linux uses this: a password that is the same everywhere and protects nothing. */
const PLAIN = 'basic_text';

/** Keeps the key of the model server in a file that only the system's keyring can open. */
export class SafeKeyStore implements KeyStore {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  async status() {
    const isPlain = this.#isPlain();
    const isAvailable = isPlain || (await safeStorage.isAsyncEncryptionAvailable());
    const hasKey = (await this.#readFile()) !== null;
    return { isAvailable, isPlain, hasKey };
  }

  /** Null if none is stored, or the keyring no longer decrypts it. */
  async read(): Promise<string | null> {
    const encrypted = await this.#readFile();
    if (!encrypted) return null;
    this.#allowPlain();
    return safeStorage.decryptStringAsync(encrypted).then(
      ({ result }) => result,
      () => null,
    );
  }

  async store(key: string): Promise<void> {
    this.#allowPlain();
    const encrypted = await safeStorage.encryptStringAsync(key);
    await writeFile(this.#file, encrypted, { mode: 0o600 });
    // The mode above applies only to a new file.
    await chmod(this.#file, 0o600);
  }

  async forget(): Promise<void> {
    await rm(this.#file, { force: true });
  }

  #isPlain(): boolean {
    return process.platform === 'linux' && safeStorage.getSelectedStorageBackend() === PLAIN;
  }

  /** The window warns about this before a key is stored this way. */
  #allowPlain(): void {
    if (this.#isPlain()) safeStorage.setUsePlainTextEncryption(true);
  }

  async #readFile(): Promise<Buffer | null> {
    return readFile(this.#file).catch(error => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
  }
}
