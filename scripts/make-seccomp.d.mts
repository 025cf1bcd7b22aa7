export function seccompFilter(arch: 'x64' | 'arm64'): Buffer;
