trm_add_test(NAME test_comm_collectives FOLDER mpi MODULES core math comm RANKS 1 2 3 4)
trm_add_test(NAME test_comm_agree FOLDER mpi MODULES core math comm RANKS 1 2 3 4)
foreach(name rows fetch split shared)
  trm_add_test(NAME test_comm_${name} FOLDER mpi MODULES core math comm RANKS 1 2 3 4)
endforeach()
trm_add_test(NAME test_comm_reducer FOLDER mpi MODULES core math comm RANKS 1 2 3 4 5 7 TIMEOUT 300)

trm_collect("core;math;comm" objects libs)
add_executable(comm_end_child mpi/comm_end_child.c ${objects})
target_link_libraries(comm_end_child PRIVATE trm_test_support ${libs} trm_flags)
trm_add_script_test(NAME test_comm_end FOLDER mpi PROCESSORS 2 COMMAND
  ${CMAKE_CURRENT_SOURCE_DIR}/mpi/test_comm_end.py ${MPIEXEC_EXECUTABLE}
  $<TARGET_FILE:comm_end_child> ${TRM_MPI_FLAGS})
trm_add_test(NAME test_gradsync FOLDER mpi RANKS 1 2 3 4)
trm_add_test(NAME test_sharded FOLDER mpi RANKS 1 2 3 4 5 7)
trm_add_test(NAME test_ckpt_load FOLDER mpi MODULES core math comm io ckpt RANKS 1 2 3 4)
trm_add_test(NAME test_number_scores FOLDER mpi RANKS 1 2 3 4)
trm_topics(train train_folders)
target_include_directories(test_number_scores PRIVATE ${train_folders})
