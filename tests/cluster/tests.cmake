# On hosts and a scheduler that the tests make themselves; each takes minutes, one at a time.
foreach(name hosts lost_host slurm)
  trm_add_script_test(NAME test_cluster_${name} FOLDER cluster PROCESSORS 2 TIMEOUT 900
    COMMAND ${TRM_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/cluster/test_${name}.py)
  set_property(TEST test_cluster_${name} PROPERTY RESOURCE_LOCK cluster)
endforeach()
