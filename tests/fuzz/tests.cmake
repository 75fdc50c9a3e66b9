trm_add_test(NAME fuzz_container FOLDER fuzz MODULES core comm io ckpt)
