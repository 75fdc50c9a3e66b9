add_executable(dump_batches ${CMAKE_CURRENT_SOURCE_DIR}/golden/dump_batches.c)
target_link_libraries(dump_batches PRIVATE trireme trm_flags)

trm_add_script_test(NAME test_golden_decoder FOLDER golden PROCESSORS 3
  COMMAND ${TRM_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/golden/test_golden_decoder.py)
trm_add_script_test(NAME test_golden_gnn FOLDER golden PROCESSORS 3
  COMMAND ${TRM_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/golden/test_golden_gnn.py)
trm_add_script_test(NAME test_golden_shop FOLDER golden PROCESSORS 3
  COMMAND ${TRM_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/golden/test_golden_shop.py)
trm_add_script_test(NAME test_golden_sequences FOLDER golden PROCESSORS 3
  COMMAND ${TRM_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/golden/test_golden_sequences.py)
trm_add_script_test(NAME test_golden_images FOLDER golden PROCESSORS 3
  COMMAND ${TRM_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/golden/test_golden_images.py)
