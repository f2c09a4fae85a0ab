import { parityTests } from "./suite.ts";

parityTests("schur");
