//! The cores, shared between what computes at once.
//!
//! libtorch has a thread a core for every thread that computes, and they wait for each other in a loop: where there are more of them
//! than cores, most of the time goes into waiting. How many there are does not change the numbers.

use std::thread::available_parallelism;

/// The environment variable with the threads that OpenMP, so libtorch, takes.
pub(crate) const OPENMP_THREADS: &str = "OMP_NUM_THREADS";

/// What OpenMP in each of `processes` processes at once should take, unless [`OPENMP_THREADS`] says so already.
pub(crate) fn openmp_threads(processes: usize) -> Option<usize> {
    let cores = available_parallelism().map_or(1, usize::from);
    std::env::var_os(OPENMP_THREADS).is_none().then(|| (cores / processes.max(1)).max(1))
}

/// Each of some threads has its share of libtorch's threads, while this lives.
#[must_use]
pub(crate) struct SharedCores {
    #[cfg(feature = "libtorch")]
    before: i32,
}

impl SharedCores {
    /// Between `threads` threads that start after this.
    #[cfg(feature = "libtorch")]
    pub(crate) fn between(threads: usize) -> Self {
        let before = tch::get_num_threads();
        let share = before / i32::try_from(threads.max(1)).unwrap_or(i32::MAX);
        tch::set_num_threads(share.max(1));
        Self { before }
    }

    /// Between `threads` threads that start after this.
    #[cfg(not(feature = "libtorch"))]
    pub(crate) fn between(_threads: usize) -> Self {
        Self {}
    }
}

#[cfg(feature = "libtorch")]
impl Drop for SharedCores {
    fn drop(&mut self) {
        tch::set_num_threads(self.before);
    }
}

#[cfg(all(test, feature = "libtorch"))]
mod tests {
    use super::*;

    #[test]
    fn threads_get_their_share_and_then_all_again() {
        let all = tch::get_num_threads();
        let count = || std::thread::spawn(tch::get_num_threads).join().expect("it counts");
        let shared = SharedCores::between(2);
        assert_eq!(count(), (all / 2).max(1));
        drop(shared);
        assert_eq!((count(), tch::get_num_threads()), (all, all));
    }
}
