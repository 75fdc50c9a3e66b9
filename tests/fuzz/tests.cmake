trm_add_test(NAME fuzz_container FOLDER fuzz MODULES core math comm io ckpt)
trm_add_script_test(NAME fuzz_container_long FOLDER fuzz LABELS long TIMEOUT 400 COMMAND fuzz_container 300)

# Harnesses of libFuzzer, one for each door that a stranger's file comes in by. In the preset `fuzz` they
# are its programs; elsewhere fuzz_main.c runs the corpus and random changes of it.
set(fuzz_driver fuzz_main.c)
if(TRM_FUZZER)
  set(fuzz_driver "")
endif()
add_library(hollow_plugin MODULE ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/hollow_plugin.c)
target_include_directories(hollow_plugin PRIVATE ${CMAKE_SOURCE_DIR}/include)
trm_topics(train fuzz_private) # readers that have no public header
trm_collect("core;io;input;prepare" fuzz_objects fuzz_libs)
set(fuzz_of_files tables graph_text graph_forms shop images data subword vocab) # need no more than these
foreach(door config plugin records search facts ${fuzz_of_files})
  set(sources fuzz_${door}.c fuzz.c ../support/small_sets.c ${fuzz_driver})
  list(TRANSFORM sources PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/)
  if(door IN_LIST fuzz_of_files)
    add_executable(fuzz_${door} ${sources} ${fuzz_objects})
    target_link_libraries(fuzz_${door} PRIVATE ${fuzz_libs} trm_flags m)
  else()
    add_executable(fuzz_${door} ${sources})
    target_link_libraries(fuzz_${door} PRIVATE trireme trm_flags ${CMAKE_DL_LIBS})
  endif()
  target_include_directories(fuzz_${door} PRIVATE ${fuzz_private} ${CMAKE_CURRENT_SOURCE_DIR}/support)
  target_compile_definitions(fuzz_${door} PRIVATE
                             FUZZ_HOLLOW_PLUGIN="$<TARGET_FILE:hollow_plugin>")
  if(TRM_FUZZER)
    target_link_options(fuzz_${door} PRIVATE -fsanitize=fuzzer)
    continue() # tests/fuzz/run starts them
  endif()
  set(corpus ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/${door})
  trm_add_script_test(NAME fuzz_${door} FOLDER fuzz COMMAND fuzz_${door} ${corpus} 0.5)
  trm_add_script_test(NAME fuzz_${door}_long FOLDER fuzz LABELS long TIMEOUT 200
                      COMMAND fuzz_${door} ${corpus} 120 2)
endforeach()
add_dependencies(fuzz_plugin hollow_plugin)
