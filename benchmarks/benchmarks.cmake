trm_add_benchmark(bench_allreduce MPI::MPI_C)
trm_add_benchmark(bench_gemm)
trm_add_benchmark(bench_kernels)
