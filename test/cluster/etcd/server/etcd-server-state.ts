/** Names the folder in which the processes of a test run find the etcd they share. */
export const stateVariable = 'LSMT_TEST_ETCD_STATE'
