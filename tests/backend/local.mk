backend_rig = tests/backend/rig.c tests/backend/rig.h
backend_libs = libbackend.a libcpu.a libsoftmmu.a libtcg.a libutil.a $(CAPSTONE_LIBS) $(FFI_LIBS) $(MPFR_LIBS) -lm
check_PROGRAMS += tests/backend/test_ir_ops tests/backend/test_ir_mem tests/backend/test_ir_flow \
	tests/backend/test_passes_run tests/backend/test_undefined
tests_backend_test_ir_ops_SOURCES = tests/backend/test_ir_ops.c tests/backend/ir_reference.c \
	tests/backend/ir_reference.h $(backend_rig)
tests_backend_test_ir_ops_LDADD = $(backend_libs)
tests_backend_test_ir_mem_SOURCES = tests/backend/test_ir_mem.c $(backend_rig)
tests_backend_test_ir_mem_LDADD = $(backend_libs)
tests_backend_test_ir_flow_SOURCES = tests/backend/test_ir_flow.c tests/backend/ir_reference.c \
	tests/backend/ir_reference.h $(backend_rig)
tests_backend_test_ir_flow_LDADD = $(backend_libs)
tests_backend_test_passes_run_SOURCES = tests/backend/test_passes_run.c $(backend_rig)
tests_backend_test_passes_run_LDADD = $(backend_libs)
tests_backend_test_undefined_SOURCES = tests/backend/test_undefined.c tests/cpu/native.h $(backend_rig)
tests_backend_test_undefined_LDADD = libfrontend.a $(backend_libs)
TESTS += tests/backend/test_ir_ops tests/backend/test_ir_mem tests/backend/test_ir_flow tests/backend/test_passes_run \
	tests/backend/test_undefined
