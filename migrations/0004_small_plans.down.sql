alter role errand_app reset max_parallel_workers_per_gather;
alter role errand_app reset jit;
