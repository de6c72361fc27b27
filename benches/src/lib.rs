//! Benchmarks: `cargo bench -p larp-benches`.
