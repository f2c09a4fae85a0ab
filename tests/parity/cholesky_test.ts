import { parityTests } from "./suite.ts";

parityTests("cholesky");
