export const gpuEnergy =
  'ALTER TABLE run ADD COLUMN gpu_energy_wh REAL; ALTER TABLE study ADD COLUMN gpu TEXT;';
