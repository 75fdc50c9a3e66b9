# On hosts and a scheduler that the tests make themselves; each takes minutes, one at a time.
function(trm_add_cluster_test name script timeout)
  trm_add_script_test(NAME test_cluster_${name} FOLDER cluster PROCESSORS 2 TIMEOUT ${timeout}
    COMMAND ${TRM_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/cluster/${script}.py ${ARGN})
  set_property(TEST test_cluster_${name} PROPERTY RESOURCE_LOCK cluster)
endfunction()
trm_add_cluster_test(hosts test_hosts 900)
trm_add_cluster_test(lost_host test_lost_host 900)
trm_add_cluster_test(slurm test_slurm 1800 mpirun)
trm_add_cluster_test(slurm_srun test_slurm 1800 srun)
trm_add_cluster_test(kills test_kills 7200 200)
