# trm_module(name MAY_USE layers... LIBS targets...): the object library trm_<name> of src/<name> and
# the folders in it, and, for the layers the gradient check and the comparisons with PyTorch need, trm_<name>_f64 with trm_real = double.

add_library(trm_flags INTERFACE)
target_compile_options(trm_flags INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wvla -Wundef
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes> $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes>
  -ffp-contract=off -fno-math-errno $<$<BOOL:${TRM_WERROR}>:-Werror>)
target_compile_definitions(trm_flags INTERFACE _POSIX_C_SOURCE=200809L _GNU_SOURCE=1
  TRM_NAN_FILL=$<BOOL:${TRM_NAN_FILL}>)
target_include_directories(trm_flags INTERFACE
  $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>)
if(TRM_SANITIZE)
  target_compile_options(trm_flags INTERFACE -fsanitize=${TRM_SANITIZE} -fno-omit-frame-pointer
                         -fno-sanitize-recover=all)
  target_link_options(trm_flags INTERFACE -fsanitize=${TRM_SANITIZE})
  # Every executable: see there.
  add_library(trm_keep_plugins OBJECT ${CMAKE_SOURCE_DIR}/tests/support/keep_plugins.c)
  target_link_libraries(trm_flags INTERFACE
    $<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:$<TARGET_OBJECTS:trm_keep_plugins>>)
endif()

# Every object tells libFuzzer which branches an input takes (tests/fuzz); clang alone can.
if(TRM_FUZZER)
  target_compile_options(trm_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# Instruction sets the kernels are compiled for; the best one the processor has is taken at start
# (src/math/dispatch.c). Empty: the compiler's default only, without dispatch.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(default_isas "x86-64-v2;x86-64-v3;x86-64-v4")
endif()
set(TRM_KERNEL_ISAS "${default_isas}" CACHE STRING "Instruction sets of the kernels")

set(TRM_F64_MODULES core math nn optim model)

# Global properties of a module: TRM_OBJECTS_<name>, TRM_LIBS_<name>, and the same with _f64.
function(trm_module name)
  cmake_parse_arguments(arg "" "" "MAY_USE;LIBS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.c
       ${CMAKE_SOURCE_DIR}/src/${name}/*.cc)
  list(FILTER sources EXCLUDE REGEX "/math/kernels/") # trm_kernel_objects
  if(NOT sources)
    return()
  endif()
  set_property(GLOBAL APPEND PROPERTY TRM_MODULES ${name})
  trm_objects(${name} ${name} "${sources}" "${arg_LIBS}")
  if(name STREQUAL math)
    trm_kernel_objects(math "${TRM_KERNEL_ISAS}")
  elseif(name STREQUAL io)
    trm_event_messages(io)
  elseif(name STREQUAL train)
    trm_embed(train report_assets.h ${CMAKE_SOURCE_DIR}/src/train/report/page/report.css
              ${CMAKE_SOURCE_DIR}/src/train/report/page/report.js)
  endif()
  if(name IN_LIST TRM_F64_MODULES)
    trm_objects(${name}_f64 ${name} "${sources}" "${arg_LIBS}")
    target_compile_definitions(trm_${name}_f64 PRIVATE TRM_REAL_IS_DOUBLE=1)
    if(name STREQUAL math)
      trm_kernel_objects(math_f64 "")
    endif()
  endif()
endfunction()

# The folder of a module and those of its topics inside: private headers are included by name alone.
function(trm_topics folder out)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${folder}/*.h)
  set(folders ${CMAKE_SOURCE_DIR}/src/${folder})
  foreach(header IN LISTS headers)
    get_filename_component(topic ${header} DIRECTORY)
    list(APPEND folders ${topic})
  endforeach()
  list(REMOVE_DUPLICATES folders)
  set(${out} ${folders} PARENT_SCOPE)
endfunction()

function(trm_objects unit folder sources libs)
  add_library(trm_${unit} OBJECT ${sources})
  trm_topics(${folder} folders)
  target_include_directories(trm_${unit} PRIVATE ${folders})
  target_compile_definitions(trm_${unit} PRIVATE TRM_VERSION="${PROJECT_VERSION}")
  target_link_libraries(trm_${unit} PRIVATE trm_flags ${libs})
  set_property(GLOBAL APPEND PROPERTY TRM_OBJECTS_${unit} $<TARGET_OBJECTS:trm_${unit}>)
  set_property(GLOBAL APPEND PROPERTY TRM_LIBS_${unit} ${libs})
endfunction()

# Every kernel, from its prototype in the public headers, so that no list of them is kept by hand:
#   kernel_list.h     KERNEL(result, name, (parameters), (arguments)), for the tables of dispatch.c
#   kernel_names.h    name -> name with the suffix of the instruction set, for the kernels' sources
# A prototype begins a line and has neither comments nor parentheses among its parameters.
function(trm_kernel_list folder)
  set(list "#define TRM_KERNEL_LIST(KERNEL)")
  set(names "")
  foreach(header kernels attention graph_kernels graph_attention images product)
    set(path ${CMAKE_SOURCE_DIR}/include/trireme/math/${header}.h)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
    file(READ ${path} text)
    string(REGEX MATCHALL "\n[a-z0-9_]+ trm_[a-z0-9_]+\\([^()]*\\);" prototypes "${text}")
    string(REGEX MATCHALL "\n[a-z][^\n]*[ *]trm_[a-z0-9_]+\\(" declared "${text}")
    list(REMOVE_ITEM prototypes "") # each ends with a list separator
    list(LENGTH prototypes n_prototypes)
    list(LENGTH declared n_declared)
    if(NOT n_prototypes EQUAL n_declared)
      message(FATAL_ERROR "${path}: ${n_declared} functions, of which ${n_prototypes} prototypes "
              "can be read; write `result trm_name(parameters);` with plain parameters")
    endif()
    foreach(prototype IN LISTS prototypes)
      string(REGEX REPLACE "[ \n]+" " " prototype "${prototype}")
      string(REGEX MATCH "^ ([a-z0-9_]+) ([a-z0-9_]+)\\((.*)\\)" ignored "${prototype}")
      set(result ${CMAKE_MATCH_1})
      set(name ${CMAKE_MATCH_2})
      set(parameters "${CMAKE_MATCH_3}")
      string(REGEX REPLACE "[^,]*[ *]([A-Za-z0-9_]+)" "\\1" arguments "${parameters}")
      string(REPLACE "," ", " arguments "${arguments}")
      string(APPEND list " \\\n  KERNEL(${result}, ${name}, (${parameters}), (${arguments}))")
      string(APPEND names "#define ${name} TRM_ISA_PASTE(${name}, TRM_ISA)\n")
    endforeach()
  endforeach()
  foreach(file list names)
    file(CONFIGURE OUTPUT ${folder}/kernel_${file}.h @ONLY
         CONTENT "/* Made by cmake/TriremeModules.cmake. */\n${${file}}\n")
  endforeach()
endfunction()

# Sources below src/math/kernels, once for each instruction set; without contraction, like everything else: where
# they fuse a multiply-add they say so (kernels/simd.h).
function(trm_kernel_objects unit isas)
  file(GLOB_RECURSE kernels CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/math/kernels/*.c)
  if(NOT kernels)
    return()
  endif()
  if(isas)
    set(lists ${CMAKE_BINARY_DIR}/generated/math)
    trm_kernel_list(${lists})
    target_include_directories(trm_${unit} PRIVATE ${lists})
    foreach(isa IN LISTS isas)
      string(MAKE_C_IDENTIFIER ${isa} suffix)
      set(target trm_${unit}_${suffix})
      add_library(${target} OBJECT ${kernels})
      target_compile_options(${target} PRIVATE -march=${isa})
      if(isa STREQUAL "x86-64-v4")
        target_compile_options(${target} PRIVATE -mprefer-vector-width=512)
      endif()
      target_compile_definitions(${target} PRIVATE TRM_ISA=${suffix})
      target_include_directories(${target} PRIVATE ${lists})
      trm_kernel_options(${target})
      set_property(GLOBAL APPEND PROPERTY TRM_OBJECTS_${unit} $<TARGET_OBJECTS:${target}>)
      target_compile_definitions(trm_${unit} PRIVATE TRM_HAVE_${suffix}=1)
    endforeach()
    target_compile_definitions(trm_${unit} PRIVATE TRM_DISPATCH=1)
  else()
    set(target trm_${unit}_plain)
    add_library(${target} OBJECT ${kernels})
    trm_kernel_options(${target})
    if(unit MATCHES "_f64$")
      target_compile_definitions(${target} PRIVATE TRM_REAL_IS_DOUBLE=1)
    endif()
    set_property(GLOBAL APPEND PROPERTY TRM_OBJECTS_${unit} $<TARGET_OBJECTS:${target}>)
    target_compile_definitions(trm_${unit} PRIVATE TRM_DISPATCH=0)
  endif()
endfunction()

# Trapping is not observed, so comparisons may be evaluated speculatively: loops with a choice in them
# vectorise. No value changes by it.
function(trm_kernel_options target)
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/src/math ${CMAKE_SOURCE_DIR}/src/math/kernels)
  target_link_libraries(${target} PRIVATE trm_flags trm::xxhash OpenMP::OpenMP_C)
  target_compile_options(${target} PRIVATE -fno-trapping-math)
endfunction()

# The protobuf messages of TensorBoard event files.
function(trm_event_messages unit)
  set(proto ${CMAKE_SOURCE_DIR}/src/io/events.proto)
  if(NOT EXISTS ${proto})
    return()
  endif()
  set(out ${CMAKE_BINARY_DIR}/generated)
  file(MAKE_DIRECTORY ${out})
  add_custom_command(OUTPUT ${out}/events.pb-c.c ${out}/events.pb-c.h
    COMMAND ${TRM_PROTOC_C} --c_out=${out} --proto_path=${CMAKE_SOURCE_DIR}/src/io ${proto}
    DEPENDS ${proto} VERBATIM)
  add_library(trm_event_messages OBJECT ${out}/events.pb-c.c ${out}/events.pb-c.h)
  target_link_libraries(trm_event_messages PRIVATE trm::protobufc)
  target_include_directories(trm_${unit} SYSTEM PRIVATE ${out})
  add_dependencies(trm_${unit} trm_event_messages)
  set_property(GLOBAL APPEND PROPERTY TRM_OBJECTS_${unit} $<TARGET_OBJECTS:trm_event_messages>)
endfunction()

# A header with the bytes of files: "report.css" is the array report_css, with a 0 behind it.
function(trm_embed unit header)
  set(text "/* Made by cmake/TriremeModules.cmake. */\n")
  foreach(path IN LISTS ARGN)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
    get_filename_component(name ${path} NAME)
    string(MAKE_C_IDENTIFIER ${name} name)
    file(READ ${path} bytes HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
    string(APPEND text "static const char ${name}[] = {${bytes}0};\n")
  endforeach()
  set(folder ${CMAKE_BINARY_DIR}/generated/${unit})
  file(CONFIGURE OUTPUT ${folder}/${header} @ONLY CONTENT "${text}")
  target_include_directories(trm_${unit} PRIVATE ${folder})
endfunction()

# Objects and third-party libraries of a list of units ("core", "math_f64"), into the caller's scope.
function(trm_collect units objects_var libs_var)
  set(objects "")
  set(libs "")
  foreach(unit IN LISTS units)
    get_property(some GLOBAL PROPERTY TRM_OBJECTS_${unit})
    list(APPEND objects ${some})
    get_property(some GLOBAL PROPERTY TRM_LIBS_${unit})
    list(APPEND libs ${some})
  endforeach()
  list(REMOVE_DUPLICATES libs)
  set(${objects_var} ${objects} PARENT_SCOPE)
  set(${libs_var} ${libs} PARENT_SCOPE)
endfunction()

# libtrireme of all modules.
function(trm_library)
  get_property(modules GLOBAL PROPERTY TRM_MODULES)
  trm_collect("${modules}" objects libs)
  add_library(trireme ${objects})
  add_library(trireme::trireme ALIAS trireme)
  target_include_directories(trireme PUBLIC
    $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  foreach(lib IN LISTS libs) # private in the build; TriremeInstall.cmake names them for users
    target_link_libraries(trireme PRIVATE $<BUILD_INTERFACE:${lib}>)
  endforeach()
  set_target_properties(trireme PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION 0 LINKER_LANGUAGE C)
endfunction()
