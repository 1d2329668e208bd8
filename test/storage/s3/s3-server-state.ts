/** Names the folder in which the processes of a test run find the S3 server they share. */
export const stateVariable = 'LSMT_TEST_S3_STATE'
