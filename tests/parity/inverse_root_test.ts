import { parityTests } from "./suite.ts";

parityTests("inverse_root");
