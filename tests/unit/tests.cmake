find_program(TRM_PYTHON python3 REQUIRED)

# The tree holds to its layers.
trm_add_script_test(NAME test_layers FOLDER unit
  COMMAND ${TRM_PYTHON} ${CMAKE_SOURCE_DIR}/tests/unit/test_layers.py ${CMAKE_SOURCE_DIR})
trm_add_script_test(NAME test_layers_self FOLDER unit
  COMMAND ${TRM_PYTHON} ${CMAKE_SOURCE_DIR}/tests/unit/test_layers.py --self-test)

# No layer names what lies above it.
trm_add_script_test(NAME test_names FOLDER unit
  COMMAND ${TRM_PYTHON} ${CMAKE_SOURCE_DIR}/tests/unit/test_names.py ${CMAKE_SOURCE_DIR})
trm_add_script_test(NAME test_names_self FOLDER unit
  COMMAND ${TRM_PYTHON} ${CMAKE_SOURCE_DIR}/tests/unit/test_names.py --self-test)

foreach(name status memory random hash integers clock log config config_yaml locale)
  trm_add_test(NAME test_core_${name} FOLDER unit MODULES core)
endforeach()

# Each kernel test runs on float and, from the same source, on double.
foreach(name threads exp init gemm gemm_concurrent product elementwise layernorm embedding attention
        attention_ragged dropout loss flat update)
  trm_add_test(NAME test_math_${name} FOLDER unit MODULES core math)
  trm_add_test(NAME test_math_${name}_f64 SOURCE test_math_${name}.c FOLDER unit
               MODULES core_f64 math_f64)
endforeach()
foreach(name spmm neighbor_max row_sets top_k features)
  trm_add_test(NAME test_math_${name} FOLDER unit MODULES core math)
  trm_add_test(NAME test_math_${name}_f64 SOURCE test_math_${name}.c FOLDER unit
               MODULES core_f64 math_f64)
endforeach()
foreach(name gat batchnorm heads bpr images)
  trm_add_test(NAME test_math_${name} FOLDER unit MODULES core math)
  trm_add_test(NAME test_math_${name}_f64 SOURCE test_math_${name}.c FOLDER unit
               MODULES core_f64 math_f64)
endforeach()
# Sets with fused multiply-add agree to the bit, kernel by kernel.
if("x86-64-v3" IN_LIST TRM_KERNEL_ISAS AND "x86-64-v4" IN_LIST TRM_KERNEL_ISAS)
  trm_add_test(NAME test_math_same_bits FOLDER unit MODULES core math)
  target_include_directories(test_math_same_bits PRIVATE ${CMAKE_BINARY_DIR}/generated/math)
endif()
# Whatever build of OpenBLAS is loaded at run time, concurrent calls must be right.
foreach(build pthread openmp serial)
  set(folder_of_build /usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/openblas-${build})
  if(EXISTS ${folder_of_build}/libopenblas.so.0)
    add_test(NAME test_math_gemm_concurrent_${build} COMMAND ${CMAKE_COMMAND} -E env
             TRIREME_OPENBLAS=${folder_of_build}/libopenblas.so.0 $<TARGET_FILE:test_math_gemm_concurrent>)
    set_tests_properties(test_math_gemm_concurrent_${build} PROPERTIES LABELS unit TIMEOUT 120)
  endif()
endforeach()

trm_add_test(NAME test_comm_blocks FOLDER unit MODULES core math comm)

foreach(name container foreign files)
  trm_add_test(NAME test_io_${name} FOLDER unit MODULES core io)
endforeach()

trm_add_test(NAME test_nn_tape FOLDER unit MODULES core math nn THREADS 2)
trm_add_test(NAME test_nn_sequences FOLDER unit MODULES core math nn THREADS 2)
trm_add_test(NAME test_nn_drop_path FOLDER unit MODULES core math nn THREADS 2)
trm_add_test(NAME test_nn_linear_xent FOLDER unit MODULES core math nn THREADS 2)
trm_add_test(NAME test_nn_graph_blocks FOLDER unit MODULES core math nn THREADS 2)
trm_add_test(NAME test_nn_blocks FOLDER unit MODULES core math nn)
trm_add_test(NAME test_nn_operand FOLDER unit MODULES core math nn)
trm_add_test(NAME test_nn_graph FOLDER unit MODULES core math nn)
trm_add_test(NAME test_nn_images FOLDER unit MODULES core math nn THREADS 2)

trm_add_test(NAME test_optim FOLDER unit MODULES core math nn optim)
trm_add_test(NAME test_optim_torch FOLDER unit MODULES core_f64 math_f64 nn_f64 optim_f64)
# The user's own optimizer, a library that knows one header.
foreach(unit "" _f64)
  add_library(optim_probe${unit} MODULE unit/optim_probe.c)
  target_link_libraries(optim_probe${unit} PRIVATE trm_flags m)
  trm_add_test(NAME test_optim_plugin${unit} SOURCE test_optim_plugin.c FOLDER unit
               MODULES core${unit} math${unit} nn${unit} optim${unit})
  target_compile_definitions(test_optim_plugin${unit} PRIVATE
                             OPTIM_PROBE="$<TARGET_FILE:optim_probe${unit}>")
  add_dependencies(test_optim_plugin${unit} optim_probe${unit})
endforeach()
target_compile_definitions(optim_probe_f64 PRIVATE TRM_REAL_IS_DOUBLE=1)
trm_add_test(NAME test_optim_rules FOLDER unit MODULES core math nn optim)

# Models on float and, from the same source, on double, where gradients are compared with differences.
foreach(name graph papers decoder sequences)
  trm_add_test(NAME test_model_${name} FOLDER unit MODULES core math nn model THREADS 2)
  trm_add_test(NAME test_model_${name}_f64 SOURCE test_model_${name}.c FOLDER unit THREADS 2
               MODULES core_f64 math_f64 nn_f64 model_f64)
endforeach()
foreach(unit "" _f64)
  trm_add_test(NAME test_model_layer_torch${unit} SOURCE test_model_layer_torch.c FOLDER unit THREADS 2
               MODULES core${unit} math${unit} nn${unit} model${unit})
endforeach()
trm_add_test(NAME test_model_rows FOLDER unit MODULES core math nn model THREADS 2)

foreach(name permute vocab tokenizer windows dataset loader sample_batches augment partition field graph graph_bad structure sampler graph_loader parts shop)
  trm_add_test(NAME test_input_${name} FOLDER unit MODULES core io input prepare)
endforeach()
trm_topics(input input_folders)
target_include_directories(test_input_sampler PRIVATE ${input_folders})
foreach(name text vocab_builder shakespeare debian debian_graph synth_graph graphs graph_data)
  trm_add_test(NAME test_prepare_${name} FOLDER unit MODULES core io input prepare)
endforeach()
foreach(name samples sample_inputs sample_values sample_augment)
  trm_add_test(NAME test_input_${name} FOLDER unit MODULES core io input prepare)
endforeach()
trm_add_test(NAME test_input_hostile FOLDER unit MODULES core io input prepare TIMEOUT 300)
foreach(name records samples samples_data synth_pairs table png)
  trm_add_test(NAME test_prepare_${name} FOLDER unit MODULES core io input prepare)
endforeach()
foreach(name images images_data)
  trm_add_test(NAME test_prepare_${name} FOLDER unit MODULES core io input prepare)
endforeach()
trm_add_script_test(NAME test_format_page FOLDER unit
  COMMAND ${TRM_PYTHON} ${CMAKE_SOURCE_DIR}/tests/unit/test_format_page.py ${CMAKE_SOURCE_DIR})

trm_add_test(NAME test_ckpt_store FOLDER unit MODULES core math comm io ckpt)
trm_collect("core;math;comm;io;ckpt" objects libs)
add_executable(io_writer unit/io_writer.c ${objects})
target_link_libraries(io_writer PRIVATE trm_test_support ${libs} trm_flags)
foreach(name events h5py)
  trm_add_script_test(NAME test_io_${name} FOLDER unit COMMAND
    ${TRM_PYTHON} ${CMAKE_SOURCE_DIR}/tests/unit/test_io_${name}.py $<TARGET_FILE:io_writer>)
endforeach()

trm_add_test(NAME test_train_keys FOLDER unit)
trm_add_test(NAME test_train_sweep FOLDER unit)
trm_add_test(NAME test_train_tpe FOLDER unit)
trm_add_test(NAME test_train_scores FOLDER unit)
trm_add_test(NAME test_train_text_scores FOLDER unit)
trm_add_test(NAME test_train_best FOLDER unit)
trm_add_test(NAME test_train_average FOLDER unit)
trm_add_test(NAME test_train_axes FOLDER unit)
trm_add_test(NAME test_train_names FOLDER unit)
trm_add_test(NAME test_train_rates FOLDER unit)
trm_add_test(NAME test_train_report FOLDER unit)
trm_add_test(NAME test_train_search FOLDER unit THREADS 2)
trm_add_test(NAME test_train_attack FOLDER unit)
trm_add_test(NAME test_train_folders FOLDER unit)
trm_topics(train train_folders)
foreach(name average best names search attack rates report folders)
  target_include_directories(test_train_${name} PRIVATE ${train_folders})
endforeach()
trm_add_test(NAME test_train_token_sampler FOLDER unit)
