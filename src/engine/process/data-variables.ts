/** Names of variables that point to data: `AUTORESEARCH_CACHE_DIR`, `MY_DATA_ROOT`. */
const DATA_VARIABLE = /_(?:CACHE|DATA|DATASETS?)(?:_(?:DIR|HOME|PATH|ROOT|FOLDER))?$/;
/** Caches of compilers and package managers; a study has its own. */
const BUILD_CACHE =
  /^(?:XDG|NODE|UV|PIP|NPM|TRITON|TORCHINDUCTOR|CUDA|CCACHE|SCCACHE|NUMBA|PYTHON|CONDA|PYENV|WANDB)_/i;

export function isDataVariable(name: string): boolean {
  return DATA_VARIABLE.test(name) && !BUILD_CACHE.test(name);
}
