foreach(name
    layouts
    resume
    elastic
    sharded
    verify
    same_bits
    optimizers
    ensemble
    views
    ensemble_rankings
    average_tool
    curves
    average
    find_lr
    adversarial
    transfer
    stop_evaluation
    units
    sentencepiece
    agreement
    keys
    bad_input
    hostile_files
    commands
    show
    report
    going_on
    limits
    outputs
    words
    ecosystem
    counts
    first_hours
    guide
    graph_prepare
    samples_prepare
    sample_names
    tables
    images_prepare
    sequence_layouts
    sequence_resume
    sequence_writing
    sequence_input
    value_layouts
    value_input
    value_resume
    value_commands
    unlabelled
    graph_layouts
    graph_commands
    graph_cora
    shop
    examples
    sweep
    tune
    lab
  )
  trm_add_script_test(NAME test_${name} FOLDER e2e PROCESSORS 2 TIMEOUT 600
    COMMAND ${TRM_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/e2e/test_${name}.py)
endforeach()
# That no remedy of a message is missing in the table, and those of `prepare`; then those for which runs are trained.
trm_add_script_test(NAME test_remedies FOLDER e2e PROCESSORS 2 TIMEOUT 600
  COMMAND ${TRM_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/e2e/test_remedies.py --scan prepare samples)
trm_add_script_test(NAME test_remedies_of_runs FOLDER e2e PROCESSORS 2 TIMEOUT 1800 LABELS long
  COMMAND ${TRM_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/e2e/test_remedies.py keys runs tools)
# Instrumented libraries would want the same instrumentation of whoever links them.
if(NOT TRM_SANITIZE AND NOT CMAKE_C_FLAGS MATCHES coverage)
  trm_add_script_test(NAME test_install FOLDER e2e PROCESSORS 2 TIMEOUT 600 LABELS slow
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/e2e/test_install.sh
            ${CMAKE_BINARY_DIR} ${CMAKE_C_COMPILER} ${PROJECT_VERSION})
endif()
if(NOT TRM_SANITIZE AND NOT CMAKE_C_FLAGS MATCHES coverage)
  trm_add_script_test(NAME test_debian_package FOLDER e2e PROCESSORS 2 TIMEOUT 1200 LABELS long
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/e2e/test_debian_package.sh ${CMAKE_BINARY_DIR})
endif()
# Against an installed Trireme, where there is one.
set(installs 1)
if(TRM_SANITIZE OR CMAKE_C_FLAGS MATCHES coverage)
  set(installs 0)
endif()
trm_add_script_test(NAME test_plugin FOLDER e2e PROCESSORS 2 TIMEOUT 600
  COMMAND ${TRM_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/e2e/test_plugin.py
          ${CMAKE_BINARY_DIR} ${CMAKE_C_COMPILER} ${installs})
if(installs)
  trm_add_script_test(NAME test_image FOLDER e2e PROCESSORS 2 TIMEOUT 1800 LABELS long
    COMMAND ${TRM_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/e2e/test_image.py ${CMAKE_BINARY_DIR})
endif()
trm_add_script_test(NAME test_tune_kills FOLDER e2e PROCESSORS 2 TIMEOUT 1200 LABELS long
  COMMAND ${TRM_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/e2e/test_tune_kills.py)
