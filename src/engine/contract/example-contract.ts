/** A pawl.toml for people who have never seen one; it asks for the three things that no default can know. */
export const EXAMPLE_CONTRACT = `# An example of a pawl.toml; docs/contract.md lists all keys.
[contract]
editable = ["src/engine.c"]   # the files that a proposal may change
train = "make bench"          # runs after each change, and prints the number
[metric]
name = "ops_per_second"       # printed as "ops_per_second: 123" or "METRIC ops_per_second=123"
goal = "maximize"             # or "minimize"
[budget]
seconds = 60                  # about how long one run takes
`;
