foreach(name faults damage kill full_disk)
  trm_add_test(NAME test_ckpt_${name} FOLDER fault MODULES core math comm io ckpt TIMEOUT 300)
endforeach()
foreach(name kill full_disk launch launch_restart launch_batch)
  trm_add_script_test(NAME test_${name} FOLDER fault PROCESSORS 2 TIMEOUT 600
    COMMAND ${TRM_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/fault/test_${name}.py)
endforeach()
trm_add_script_test(NAME test_lost_rank FOLDER fault PROCESSORS 2 TIMEOUT 600 LABELS long
  COMMAND ${TRM_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/fault/test_lost_rank.py)
# Some ten seconds a kill on a busy machine.
trm_add_script_test(NAME test_launch_kills FOLDER fault PROCESSORS 2 TIMEOUT 7200 LABELS long
  COMMAND ${TRM_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/fault/test_launch_kills.py 200)
