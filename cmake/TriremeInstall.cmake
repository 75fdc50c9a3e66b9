# `cmake --install`: program, library, public headers, CMake package, pkg-config file, launch scripts.
#
# What libtrireme uses inside is private to it. A shared library brings its own; a static one leaves
# the linking to its user, so the package and the pkg-config file look the libraries up again on the
# machine where they are used. Nothing of this build's targets gets into the export set: trm_library
# links them as build interface only.
include(CMakePackageConfigHelpers)

get_target_property(TRM_LIBRARY_TYPE trireme TYPE)
if(TRM_LIBRARY_TYPE STREQUAL "STATIC_LIBRARY")
  set(TRM_IS_STATIC 1)
  set(deps Trireme::yaml Trireme::xxhash Trireme::protobufc Trireme::hdf5
           Trireme::metis Trireme::sentencepiece Trireme::png Trireme::jpeg Trireme::zlib
           MPI::MPI_C OpenMP::OpenMP_C Threads::Threads stdc++ ${CMAKE_DL_LIBS} m)
  foreach(dep IN LISTS deps)
    set_property(TARGET trireme APPEND PROPERTY INTERFACE_LINK_LIBRARIES
                 "$<INSTALL_INTERFACE:$<LINK_ONLY:${dep}>>")
  endforeach()
else()
  set(TRM_IS_STATIC 0)
  set_property(TARGET trireme-program APPEND PROPERTY INSTALL_RPATH
               "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
endif()

install(TARGETS trireme EXPORT TriremeTargets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/trireme DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h")

# ---- CMake: find_package(Trireme), target Trireme::trireme --------------------------------------
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Trireme)
install(EXPORT TriremeTargets NAMESPACE Trireme:: DESTINATION ${package_dir})
# pkg_search_module took the first HDF5 there is; the static library was built against that one.
set(TRM_HDF5_MODULE ${hdf5_MODULE_NAME})
configure_package_config_file(cmake/TriremeConfig.cmake.in TriremeConfig.cmake
                              INSTALL_DESTINATION ${package_dir} PATH_VARS CMAKE_INSTALL_BINDIR
                              CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(TriremeConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/TriremeConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/TriremeConfigVersion.cmake DESTINATION ${package_dir})

# ---- pkg-config: trireme --------------------------------------------------------------------------
set(TRM_PC_REQUIRES "")
set(TRM_PC_LIBS "")
if(TRM_IS_STATIC)
  set(TRM_PC_REQUIRES "yaml-0.1 libxxhash libprotobuf-c sentencepiece libpng libjpeg zlib ${TRM_HDF5_MODULE}")
  set(libs ${TRM_METIS_LIBRARY} ${MPI_C_LIBRARIES} ${OpenMP_C_FLAGS} ${CMAKE_THREAD_LIBS_INIT} -lstdc++ -lm)
  foreach(lib IN LISTS CMAKE_DL_LIBS)
    list(APPEND libs -l${lib})
  endforeach()
  list(JOIN libs " " TRM_PC_LIBS)
endif()
# Relative to where the file lies, so that an install can be moved and `--prefix` be late.
set(TRM_PC_PREFIX ${CMAKE_INSTALL_PREFIX})
if(NOT IS_ABSOLUTE ${CMAKE_INSTALL_LIBDIR})
  file(RELATIVE_PATH up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  string(REGEX REPLACE "/$" "" up ${up})
  set(TRM_PC_PREFIX "\${pcfiledir}/${up}")
endif()
configure_file(cmake/trireme.pc.in trireme.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/trireme.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# ---- man pages, shell completion, JSON schema: the program writes them --------------------------------
if(TARGET trireme-program AND NOT CMAKE_CROSSCOMPILING AND NOT TRM_SANITIZE)
  set(pages ${CMAKE_CURRENT_BINARY_DIR}/pages)
  set(commands train sweep tune learning-curve bias-variance find-lr prepare inspect partition evaluate predict generate translate
               average export verify bisect report plot show doctor help version)
  set(page_files "")
  macro(trm_page file)
    add_custom_command(OUTPUT ${pages}/${file}
      COMMAND $<TARGET_FILE:trireme-program> help ${ARGN} > ${pages}/${file}
      DEPENDS trireme-program VERBATIM)
    list(APPEND page_files ${pages}/${file})
  endmacro()
  file(MAKE_DIRECTORY ${pages})
  trm_page(trireme.1 man trireme)
  trm_page(trireme.yaml.5 man config)
  foreach(command IN LISTS commands)
    trm_page(trireme-${command}.1 man ${command})
  endforeach()
  foreach(shell bash zsh fish)
    trm_page(trireme.${shell} completion ${shell})
  endforeach()
  trm_page(trireme.schema.json schema)
  add_custom_target(pages ALL DEPENDS ${page_files})
  install(DIRECTORY ${pages}/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 FILES_MATCHING PATTERN "*.1")
  install(DIRECTORY ${pages}/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man5 FILES_MATCHING PATTERN "*.5")
  install(FILES ${pages}/trireme.bash RENAME trireme
          DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES ${pages}/trireme.zsh RENAME _trireme
          DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
  install(FILES ${pages}/trireme.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
  install(FILES ${pages}/trireme.schema.json DESTINATION ${CMAKE_INSTALL_DATADIR}/trireme)
endif()

# ---- papers and scripts ---------------------------------------------------------------------------
foreach(page LICENSE README.md CHANGELOG.md data/FORMAT.md docs/CLUSTERS.md)
  install(FILES ${page} DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)
endforeach()
install(PROGRAMS launch/run launch/slurm.sbatch launch/pbs.sh DESTINATION ${CMAKE_INSTALL_DATADIR}/trireme/launch)
install(DIRECTORY launch/parts DESTINATION ${CMAKE_INSTALL_DATADIR}/trireme/launch)
# On the PATH by another name: `run` would be anybody's.
file(RELATIVE_PATH to_run ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_DATADIR}/trireme/launch/run)
file(CREATE_LINK ${to_run} ${CMAKE_CURRENT_BINARY_DIR}/trireme-run SYMBOLIC)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/trireme-run DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES launch/README.md DESTINATION ${CMAKE_INSTALL_DATADIR}/trireme/launch)
set(modules ${CMAKE_INSTALL_DATADIR}/trireme/modulefiles/trireme)
file(RELATIVE_PATH modules_to_prefix ${CMAKE_INSTALL_PREFIX}/${modules} ${CMAKE_INSTALL_PREFIX})
configure_file(launch/modulefile.in modulefile @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/modulefile DESTINATION ${modules} RENAME ${PROJECT_VERSION})
install(DIRECTORY examples/optimizer DESTINATION ${CMAKE_INSTALL_DATADIR}/trireme/examples
        FILES_MATCHING PATTERN "*.c" PATTERN "*.md" PATTERN "*.yaml" PATTERN "CMakeLists.txt")

# ---- a Debian package: cpack in the build folder -----------------------------------------------------
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME trireme)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "Trireme <trireme@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "data-parallel trainer of Transformers and graph networks over MPI")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "openmpi-bin")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
include(CPack)
