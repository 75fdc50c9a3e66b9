trm_add_benchmark(bench_allreduce MPI::MPI_C)
trm_add_benchmark(bench_gat)
trm_add_benchmark(bench_gemm OpenMP::OpenMP_C)
trm_add_benchmark(bench_kernels)
trm_add_benchmark(bench_peak OpenMP::OpenMP_C)
trm_add_benchmark(bench_spmm)
foreach(name bench_gemm bench_peak) # shares of the peak
  target_sources(${name} PRIVATE peak.c)
endforeach()
