//! Worker threads that answer in the order they were asked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::DataError;

/// Runs jobs on threads; results come back in the order of [`Pool::push`]. What is pushed and not yet popped is held in memory,
/// so a caller bounds its own look-ahead with [`Pool::pending`].
pub(crate) struct Pool<J, R> {
    jobs: Option<Sender<(u64, J)>>,
    waiting: Receiver<(u64, J)>,
    results: Receiver<(u64, R)>,
    early: BTreeMap<u64, R>,
    pushed: u64,
    popped: u64,
    threads: Vec<JoinHandle<()>>,
}

impl<J: Send + 'static, R: Send + 'static> Pool<J, R> {
    /// Starts `workers` threads (at least one).
    pub fn new(workers: usize, work: impl Fn(J) -> R + Send + Sync + 'static) -> Result<Self, DataError> {
        let (jobs, waiting) = unbounded::<(u64, J)>();
        let (done, results) = unbounded();
        let mut pool = Self { jobs: Some(jobs), waiting, results, early: BTreeMap::new(), pushed: 0, popped: 0, threads: vec![] };
        let work = Arc::new(work);
        for number in 0..workers.max(1) {
            let (waiting, done, work) = (pool.waiting.clone(), done.clone(), work.clone());
            let body = move || {
                for (ticket, job) in waiting {
                    if done.send((ticket, work(job))).is_err() {
                        break;
                    }
                }
            };
            let thread = std::thread::Builder::new().name(format!("larp-data-{number}")).spawn(body);
            pool.threads.push(thread.map_err(|error| DataError::Worker { reason: error.to_string() })?);
        }
        Ok(pool)
    }

    /// Asks for a job.
    pub fn push(&mut self, job: J) {
        if let Some(jobs) = &self.jobs {
            // the pool holds a receiver, so this cannot fail
            let _ = jobs.send((self.pushed, job));
            self.pushed += 1;
        }
    }

    /// Jobs asked for whose results were not taken.
    pub fn pending(&self) -> usize {
        (self.pushed - self.popped) as usize
    }

    /// The next result in order; `None` when nothing is pending.
    pub fn pop(&mut self) -> Option<Result<R, DataError>> {
        if self.pending() == 0 {
            return None;
        }
        let ticket = self.popped;
        self.popped += 1;
        loop {
            if let Some(result) = self.early.remove(&ticket) {
                return Some(Ok(result));
            }
            // a panic in one job leaves the others alive, so look at the threads now and then
            match self.results.recv_timeout(std::time::Duration::from_millis(500)) {
                Ok((done, result)) => {
                    self.early.insert(done, result);
                }
                Err(_) if self.threads.iter().any(JoinHandle::is_finished) && self.results.is_empty() => {
                    return Some(Err(DataError::Worker { reason: "a thread panicked; see its message above".into() }));
                }
                Err(_) => {}
            }
        }
    }
}

impl<J, R> Drop for Pool<J, R> {
    fn drop(&mut self) {
        self.jobs = None;
        while self.waiting.try_recv().is_ok() {}
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_jobs() {
        let mut pool = Pool::new(4, |job: u64| {
            std::thread::sleep(Duration::from_millis((7 - job % 7) * 2));
            job * 10
        })
        .unwrap();
        (0..30).for_each(|job| pool.push(job));
        let results: Vec<u64> = std::iter::from_fn(|| pool.pop()).map(Result::unwrap).collect();
        assert_eq!(results, (0..30).map(|job| job * 10).collect::<Vec<_>>());
    }

    #[test]
    fn dropping_drops_the_jobs_that_wait() {
        let ran = Arc::new(AtomicUsize::new(0));
        let counter = ran.clone();
        let mut pool = Pool::new(2, move |_: u64| {
            std::thread::sleep(Duration::from_millis(20));
            counter.fetch_add(1, Ordering::Relaxed)
        })
        .unwrap();
        (0..1000).for_each(|job| pool.push(job));
        drop(pool);
        assert!(ran.load(Ordering::Relaxed) <= 10);
    }

    #[test]
    fn a_panic_is_an_error_and_no_deadlock() {
        let mut pool = Pool::new(2, |job: u64| assert_ne!(job, 0)).unwrap();
        (0..3).for_each(|job| pool.push(job));
        assert!(pool.pop().unwrap().is_err());
    }
}
