/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <string.h>

#include "sensor/container.h"
#include "tests/unit/tree.h"

#define ID  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define UID "8dbc5577_d0e2_4706_8787_57d52c03ddf2"

static const struct path {
	const char *path, *runtime, *id, *pod_uid, *unit;
} paths[] = {
	{ "/system.slice/docker-" ID ".scope", "docker", ID, "", "" },
	{ "/docker/" ID, "docker", ID, "", "" },
	{ "/machine.slice/libpod-" ID ".scope/container", "podman", ID, "",
	  "" },
	{ "/kubepods.slice/kubepods-besteffort.slice/"
	  "kubepods-besteffort-pod" UID ".slice/cri-containerd-" ID ".scope",
	  "containerd", ID, "8dbc5577-d0e2-4706-8787-57d52c03ddf2", "" },
	{ "/kubepods.slice/kubepods-pod" UID ".slice/crio-" ID ".scope",
	  "cri-o", ID, "8dbc5577-d0e2-4706-8787-57d52c03ddf2", "" },
	{ "/kubepods/burstable/pod8dbc5577-d0e2-4706-8787-57d52c03ddf2/" ID, "",
	  ID, "8dbc5577-d0e2-4706-8787-57d52c03ddf2", "" },
	{ "/system.slice/cron.service", "", "", "", "cron.service" },
	{ "/user.slice/user-1000.slice/session-2.scope", "", "", "",
	  "session-2.scope" },
	{ "/user.slice/user-1000.slice/user@1000.service/app.slice/"
	  "foot.service",
	  "", "", "", "foot.service" },
	{ "/system.slice/containerd.service/kubepods-pod" UID ".slice", "", "",
	  "8dbc5577-d0e2-4706-8787-57d52c03ddf2", "containerd.service" },
	{ "/docker/0123", "", "", "", "" },
	{ "", "", "", "", "" },
	{ "/", "", "", "", "" },
};

START_TEST(a_path_says_what_it_is)
{
	struct container names;

	container_parse(paths[_i].path, &names);
	ck_assert_str_eq(names.runtime, paths[_i].runtime);
	ck_assert_str_eq(names.id, paths[_i].id);
	ck_assert_str_eq(names.pod_uid, paths[_i].pod_uid);
	ck_assert_str_eq(names.unit, paths[_i].unit);
	ck_assert_str_eq(names.container, "");
}
END_TEST

#define BUNDLES "run/containerd/io.containerd.runtime.v2.task/"
#define STORAGE "var/lib/containers/storage/overlay-containers/"

static const struct file {
	const char *path, *file, *text, *put;
} files[] = {
	{ "/docker/" ID, "var/lib/docker/containers/" ID "/config.v2.json",
	  "{\"Name\":\"/web\",\"Config\":{\"Labels\":{}}}",
	  ",\"container\":\"web\",\"container_id\":\"" ID
	  "\",\"runtime\":\"docker\"" },
	{ "/a/pod8dbc5577-d0e2-4706-8787-57d52c03ddf2/" ID,
	  "var/lib/docker/containers/" ID "/config.v2.json",
	  "{\"Name\":\"/k8s_web_x\",\"Config\":{\"Labels\":{"
	  "\"io.kubernetes.container.name\":\"web\","
	  "\"io.kubernetes.pod.name\":\"shop-1\","
	  "\"io.kubernetes.pod.namespace\":\"prod\"}}}",
	  ",\"container\":\"web\",\"container_id\":\"" ID
	  "\",\"runtime\":\"docker\",\"pod\":\"shop-1\",\"pod_namespace\":"
	  "\"prod\",\"pod_uid\":\"8dbc5577-d0e2-4706-8787-57d52c03ddf2\"" },
	{ "/k/cri-containerd-" ID ".scope", BUNDLES "k8s.io/" ID "/config.json",
	  "{\"annotations\":{\"io.kubernetes.cri.container-name\":\"db\","
	  "\"io.kubernetes.cri.sandbox-name\":\"db-0\","
	  "\"io.kubernetes.cri.sandbox-namespace\":\"prod\"}}",
	  ",\"container\":\"db\",\"container_id\":\"" ID
	  "\",\"runtime\":\"containerd\",\"pod\":\"db-0\","
	  "\"pod_namespace\":\"prod\"" },
	{ "/k/crio-" ID ".scope", STORAGE ID "/userdata/config.json",
	  "{\"annotations\":{\"io.kubernetes.container.name\":\"c\"}}",
	  ",\"container\":\"c\",\"container_id\":\"" ID
	  "\",\"runtime\":\"cri-o\"" },
	{ "/m/libpod-" ID ".scope", STORAGE "containers.json",
	  "[{\"id\":\"other\",\"names\":[\"no\"]},{\"id\":\"" ID
	  "\",\"names\":[\"yes\",\"alias\"]}]",
	  ",\"container\":\"yes\",\"container_id\":\"" ID
	  "\",\"runtime\":\"podman\"" },
	{ "/k/cri-containerd-" ID ".scope",
	  "var/log/containers/db-0_prod_pg-" ID ".log", "",
	  ",\"container\":\"pg\",\"container_id\":\"" ID
	  "\",\"runtime\":\"containerd\",\"pod\":\"db-0\","
	  "\"pod_namespace\":\"prod\"" },
	/* whatever stands there */
	{ "/docker/" ID, "var/lib/docker/containers/" ID "/config.v2.json",
	  "[1, {]", ",\"container_id\":\"" ID "\",\"runtime\":\"docker\"" },
	{ "/docker/" ID, "var/log/containers/nonsense-" ID ".log", "",
	  ",\"container_id\":\"" ID "\",\"runtime\":\"docker\"" },
	{ "/system.slice/cron.service", "x", "", ",\"unit\":\"cron.service\"" },
};

START_TEST(names_come_from_the_files_of_the_runtimes)
{
	struct text out = TEXT_INIT;
	struct container names;
	struct tree tree;

	tree_init(&tree);
	tree_put(&tree, files[_i].file, files[_i].text);
	container_read(tree.root, files[_i].path, &names);
	container_put(&names, &out);
	ck_assert_str_eq(out.data, files[_i].put);
	text_done(&out);
	tree_done(&tree);
}
END_TEST

Suite *container_suite(void);
Suite *container_suite(void)
{
	Suite *suite = suite_create("container");
	TCase *tcase = tcase_create("names");

	tcase_add_loop_test(tcase, a_path_says_what_it_is, 0,
			    sizeof(paths) / sizeof(paths[0]));
	tcase_add_loop_test(tcase, names_come_from_the_files_of_the_runtimes, 0,
			    sizeof(files) / sizeof(files[0]));
	suite_add_tcase(suite, tcase);
	return suite;
}
