trm_add_test(NAME test_grad_ops FOLDER grad MODULES core_f64 math_f64 nn_f64 THREADS 2)
