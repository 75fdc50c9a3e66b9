trm_add_test(NAME fuzz_container FOLDER fuzz MODULES core math comm io ckpt)
trm_add_script_test(NAME fuzz_container_long FOLDER fuzz LABELS long TIMEOUT 400 COMMAND fuzz_container 300)
