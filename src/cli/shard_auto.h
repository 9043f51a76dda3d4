/* SPDX-License-Identifier: MIT */
/*
 * The shard of a program that was started as one of several alike, by what the environment says of
 * it: an array of Slurm, AWS Batch, Google Cloud Batch or Grid Engine, and in it or by themselves,
 * srun or mpirun. Pure; any process.
 *
 * Both together make index a*q + p of count n*q, for task a of n and rank p of q.
 */
#ifndef BT_CLI_SHARD_AUTO_H
#define BT_CLI_SHARD_AUTO_H

#include "scan/shard.h"

/* environment: as environ(7). *out_origin says where the shard comes from: "Slurm array task 3 (3
 * of 8)"; owned. It should be shown, since Slurm hands the variables of a job on to those that are
 * submitted in it.
 *
 * False with a sentence that says what to write instead: where the tasks of an array are not an
 * even range, so that not every shard is somebody's; where an engine (Kubernetes, LSF) does not
 * tell how many there are; where nothing says that there are several. A batch script of several
 * tasks that did not start this program by srun is one program, and has no share. */
BT_MUST_CHECK bool bt_shard_auto(char **environment, BtShard *out_shard, char **out_origin,
                                 GError **error);

#endif
