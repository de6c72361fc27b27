//! Time of products of float32 matrices on CUDA: float32 factors against those rounded to TF32.
//!
//! `cargo bench -p larp-benches --bench products --features cuda`. The shapes are those of a block of `larp-b` at a batch of 8.
#![recursion_limit = "256"]

#[cfg(feature = "cuda")]
fn main() {
    cuda::main();
}

#[cfg(not(feature = "cuda"))]
fn main() {
    println!("float32 products have a kernel of their own on CUDA alone: build with `--features cuda`");
}

#[cfg(feature = "cuda")]
mod cuda {
    use std::time::Instant;

    use larp_traits::precision::{Factors, product};
    use larp_traits::primitive::Inner;
    use larp_traits::tensor::cpu;
    use larp_traits::{Device, Stream, Tensor};

    const ROUNDS: usize = 20;

    /// A name, then batch, rows, inner, columns, and whether the left and the right matrix are transposed views.
    const PRODUCTS: [(&str, [usize; 4], [bool; 2]); 6] = [
        ("linear", [1, 16384, 768, 3072], [false, false]),
        ("its input's gradient", [1, 16384, 3072, 768], [false, true]),
        ("its weight's gradient", [1, 768, 16384, 3072], [true, false]),
        ("scores of attention", [96, 2048, 64, 2048], [false, true]),
        ("values of attention", [96, 2048, 2048, 64], [false, false]),
        ("one token of a generator", [1, 16, 1024, 3072], [false, false]),
    ];

    fn matrices(seed: u64, [batch, rows, columns]: [usize; 3], transposed: bool, device: &Device) -> Inner<3> {
        let shape = if transposed { [batch, columns, rows] } else { [batch, rows, columns] };
        let drawn: Tensor<3> = Stream::new(seed).normal([1, shape[1], shape[2]], &cpu());
        let matrices = Tensor::<3>::from_data(drawn.into_data(), device).inner().repeat_dim(0, batch);
        if transposed { matrices.swap_dims(1, 2) } else { matrices }
    }

    /// Median seconds.
    fn time(lhs: &Inner<3>, rhs: &Inner<3>, factors: Factors) -> f64 {
        let run = |rounds: usize| {
            let start = Instant::now();
            let mut output = product(lhs.clone(), rhs.clone(), factors);
            for _ in 1..rounds {
                output = product(lhs.clone(), rhs.clone(), factors);
            }
            // reading a value waits for all of them
            let _ = output.slice([0..1, 0..1, 0..1]).into_data();
            start.elapsed().as_secs_f64()
        };
        run(2);
        let mut times: Vec<f64> = (0..5).map(|_| run(ROUNDS) / ROUNDS as f64).collect();
        times.sort_by(f64::total_cmp);
        times[2]
    }

    pub fn main() {
        let device = Device::Cuda(Default::default());
        println!("{:<26} {:>12} {:>12} {:>8} {:>10} {:>10}", "product", "float32 ms", "TF32 ms", "ratio", "TFLOP/s", "TFLOP/s");
        for (name, [batch, rows, inner, columns], [left, right]) in PRODUCTS {
            let lhs = matrices(1, [batch, rows, inner], left, &device);
            let rhs = matrices(2, [batch, inner, columns], right, &device);
            let [full, rounded] = [Factors::Float32, Factors::Tf32].map(|factors| time(&lhs, &rhs, factors));
            let operations = 2.0 * (batch * rows * inner * columns) as f64 / 1e12;
            println!(
                "{name:<26} {:>12.3} {:>12.3} {:>8.2} {:>10.1} {:>10.1}",
                full * 1e3,
                rounded * 1e3,
                full / rounded,
                operations / full,
                operations / rounded
            );
        }
    }
}
