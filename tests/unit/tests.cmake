find_program(TRM_PYTHON python3 REQUIRED)

# The tree holds to its layers.
trm_add_script_test(NAME test_layers FOLDER unit
  COMMAND ${TRM_PYTHON} ${CMAKE_SOURCE_DIR}/tests/unit/test_layers.py ${CMAKE_SOURCE_DIR})
trm_add_script_test(NAME test_layers_self FOLDER unit
  COMMAND ${TRM_PYTHON} ${CMAKE_SOURCE_DIR}/tests/unit/test_layers.py --self-test)

foreach(name status memory random hash clock log config config_yaml locale)
  trm_add_test(NAME test_core_${name} FOLDER unit MODULES core)
endforeach()
