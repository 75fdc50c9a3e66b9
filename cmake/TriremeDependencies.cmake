# Third-party libraries, each as one target. Debian package names are in launch/install-deps.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS C)
set(MPI_CXX_SKIP_MPICXX ON)
# A launcher by its name alone, as the preset for MPICH has it: CTest wants its path.
if(MPIEXEC_EXECUTABLE AND NOT IS_ABSOLUTE "${MPIEXEC_EXECUTABLE}")
  find_program(TRM_MPIEXEC ${MPIEXEC_EXECUTABLE} REQUIRED)
  set(MPIEXEC_EXECUTABLE ${TRM_MPIEXEC} CACHE FILEPATH "The MPI launcher" FORCE)
endif()
find_package(MPI REQUIRED COMPONENTS C)
# MPICH declares MPI_STATUSES_IGNORE such that gcc takes it for an array too small.
if("${MPI_C_LIBRARIES}" MATCHES "mpich" AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
  target_compile_options(MPI::MPI_C INTERFACE -Wno-stringop-overflow)
endif()

function(trm_pkg_target name module)
  pkg_check_modules(${name} REQUIRED IMPORTED_TARGET ${module})
  add_library(trm::${name} ALIAS PkgConfig::${name})
endfunction()
trm_pkg_target(yaml yaml-0.1)
trm_pkg_target(xxhash libxxhash)
trm_pkg_target(protobufc libprotobuf-c)
trm_pkg_target(png libpng)
trm_pkg_target(jpeg libjpeg)
trm_pkg_target(zlib zlib)
# The serial HDF5: the parallel builds are not thread safe, and one writer is the design.
pkg_search_module(hdf5 REQUIRED IMPORTED_TARGET hdf5-serial hdf5)
add_library(trm::hdf5 ALIAS PkgConfig::hdf5)

find_path(TRM_RANDOM123_INCLUDE Random123/philox.h REQUIRED)
add_library(trm_random123 INTERFACE)
target_include_directories(trm_random123 SYSTEM INTERFACE ${TRM_RANDOM123_INCLUDE})
add_library(trm::random123 ALIAS trm_random123)

# METIS has neither a pkg-config nor a CMake file.
find_library(TRM_METIS_LIBRARY metis REQUIRED)
find_path(TRM_METIS_INCLUDE metis.h REQUIRED)
add_library(trm_metis INTERFACE)
target_include_directories(trm_metis SYSTEM INTERFACE ${TRM_METIS_INCLUDE})
target_link_libraries(trm_metis INTERFACE ${TRM_METIS_LIBRARY})
add_library(trm::metis ALIAS trm_metis)

# A C++ library behind a shim with C linkage. Programs are linked as C, hence its run time by name.
trm_pkg_target(sentencepiece_cxx sentencepiece)
add_library(trm_sentencepiece INTERFACE)
target_link_libraries(trm_sentencepiece INTERFACE trm::sentencepiece_cxx stdc++)
add_library(trm::sentencepiece ALIAS trm_sentencepiece)

find_program(TRM_PROTOC_C protoc-c REQUIRED)

# OpenBLAS: the pthread build, told to use one thread. Tiles are shared out by our own threads; the
# serial build is not safe to call from several of them (see src/math/README.md). All Debian builds
# share one soname, hence the whole path, by which it is loaded when it is chosen (src/math/gemm_openblas.c).
# TRM_OPENBLAS_DIR names another build.
set(TRM_OPENBLAS_DIR "" CACHE PATH "Folder of libopenblas (default: Debian's pthread build, else any)")
set(openblas_hints ${TRM_OPENBLAS_DIR})
foreach(build pthread openmp serial)
  list(APPEND openblas_hints /usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/openblas-${build})
  list(APPEND openblas_include_hints /usr/include/${CMAKE_LIBRARY_ARCHITECTURE}/openblas-${build})
endforeach()
find_library(TRM_OPENBLAS_LIBRARY NAMES openblas libopenblas.so.0 NAMES_PER_DIR
             HINTS ${openblas_hints} REQUIRED)
find_path(TRM_OPENBLAS_INCLUDE cblas.h HINTS ${openblas_include_hints} PATH_SUFFIXES openblas REQUIRED)
add_library(trm_openblas INTERFACE)
target_include_directories(trm_openblas SYSTEM INTERFACE ${TRM_OPENBLAS_INCLUDE})
target_compile_definitions(trm_openblas INTERFACE TRM_OPENBLAS_FILE="${TRM_OPENBLAS_LIBRARY}")
target_link_libraries(trm_openblas INTERFACE ${CMAKE_DL_LIBS})
add_library(trm::openblas ALIAS trm_openblas)
